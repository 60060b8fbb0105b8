import { describe, expect, test } from '@jest/globals';
import { missingFootage } from '../../../src/video/decode/missing-footage.ts';
import type { PacketScan, ScannedStream } from '../../../src/video/probe/packet-scan.ts';

/** So many packets, or frames, in each second from `from` to `to`. */
function perSecond(stretches: readonly (readonly [from: number, to: number, count: number])[]): number[] {
  const counts: number[] = [];
  for (const [from, to, count] of stretches) {
    while (counts.length < to) counts.push(0);
    for (let second = from; second < to; second++) counts[second] = count;
  }
  return counts;
}

function video(counts: readonly number[], change: Partial<ScannedStream> = {}): ScannedStream {
  const first = counts.findIndex((count) => count > 0);
  return {
    index: 0,
    isVideo: true,
    packets: counts.reduce((sum, count) => sum + count, 0),
    startSeconds: first,
    endSeconds: counts.length,
    perSecond: counts,
    isContinuous: true,
    isTimed: true,
    ...change,
  };
}

interface Case {
  readonly decoded: readonly number[];
  readonly streams: readonly ScannedStream[];
  readonly promised?: number;
  readonly scan?: Partial<PacketScan>;
  readonly end?: number;
  readonly isDamaged?: boolean;
}

function missing({
  decoded,
  streams,
  promised,
  scan,
  end,
  isDamaged = false,
}: Case): ReturnType<typeof missingFootage> {
  const packets = { streams, latestSeconds: 0, bytesAfterLast: 0, strayVideoPid: null, ...scan };
  const span = {
    startSeconds: decoded.findIndex((count) => count > 0),
    endSeconds: end ?? decoded.length,
    perSecond: decoded,
  };
  const promisedSeconds = promised ?? streams[0]?.endSeconds ?? 0;
  return missingFootage({ span, streamIndex: 0, promisedSeconds, scan: packets, sizeBytes: 10_000_000, isDamaged });
}

const all = perSecond([[0, 20, 10]]);

describe('what is missing', () => {
  test('nothing, where all packets became pictures', () => {
    expect(missing({ decoded: all, streams: [video(all)] })).toMatchObject({ stretches: [], tailSeconds: 0 });
  });

  test('a head before the first picture that can be decoded', () => {
    const { stretches, tailSeconds } = missing({ decoded: perSecond([[3, 20, 10]]), streams: [video(all)] });
    expect(stretches).toMatchObject([{ fromSeconds: 0, toSeconds: 3, why: expect.stringContaining('30 packets') }]);
    expect(tailSeconds).toBe(0);
  });

  test('a hole, from one second to another', () => {
    const decoded = perSecond([
      [0, 8, 10],
      [12, 20, 10],
    ]);
    expect(missing({ decoded, streams: [video(all)] }).stretches).toMatchObject([{ fromSeconds: 8, toSeconds: 12 }]);
  });

  test('a tail whose packets cannot be decoded', () => {
    const found = missing({ decoded: perSecond([[0, 15, 10]]), end: 14.9, streams: [video(all)] });
    expect(found.stretches).toMatchObject([{ fromSeconds: 14.9, toSeconds: 20 }]);
    expect(found.tailSeconds).toBeCloseTo(5.1);
  });

  test('a tail that the header promises and no stream holds', () => {
    const found = missing({ decoded: all, streams: [video(all)], promised: 40 });
    expect(found.stretches).toMatchObject([
      { fromSeconds: 20, toSeconds: 40, why: expect.stringMatching(/promises 40\.00 s, the file ends after 20\.00 s/) },
    ]);
    expect(found).toMatchObject({ endSeconds: 20, wholeSeconds: 40, tailSeconds: 20 });
  });

  test('a hole in the packets of a damaged file', () => {
    const decoded = perSecond([
      [0, 5, 10],
      [11, 20, 10],
    ]);
    const found = missing({ decoded, streams: [video(decoded)], isDamaged: true });
    expect(found.stretches).toMatchObject([{ fromSeconds: 5, toSeconds: 11, why: expect.stringContaining('damaged') }]);
  });

  test('a video that goes on under a number that nothing names, as long as the sound does', () => {
    const sound = { ...video(perSecond([[0, 40, 40]])), index: 1 };
    expect(
      missing({ decoded: all, streams: [video(all), sound], scan: { strayVideoPid: 512 } }).stretches,
    ).toMatchObject([{ fromSeconds: 20, toSeconds: 40, why: expect.stringContaining('PID 512') }]);
  });

  test('what lies behind the last packet of all streams, where that is much', () => {
    const scan = { bytesAfterLast: 5_000_000 };
    expect(missing({ decoded: all, streams: [video(all)], scan }).stretches).toMatchObject([
      { fromSeconds: 20, toSeconds: null, why: expect.stringContaining('5000000 of 10000000 bytes') },
    ]);
  });
});

describe('what is not missing', () => {
  test.each<[string, Case]>([
    [
      'a header that counts sound which goes on longer',
      { decoded: all, streams: [video(all), { ...video(perSecond([[0, 40, 40]])), index: 1 }], promised: 40 },
    ],
    [
      'a header that counts a time which one packet names',
      { decoded: all, streams: [video(all)], promised: 9_000, scan: { latestSeconds: 9_000 } },
    ],
    ['a header that is rounded up', { decoded: all, streams: [video(all)], promised: 20.9 }],
    [
      'a silence of the camera',
      {
        decoded: perSecond([
          [0, 5, 10],
          [65, 70, 10],
        ]),
        streams: [
          video(
            perSecond([
              [0, 5, 10],
              [65, 70, 10],
            ]),
          ),
        ],
      },
    ],
    [
      'a frame that lies in another second than its packet',
      { decoded: perSecond([[0, 19, 10]]), streams: [video([...perSecond([[0, 19, 10]]), 1])], promised: 19 },
    ],
    ['padding behind the last packet', { decoded: all, streams: [video(all)], scan: { bytesAfterLast: 200_000 } }],
  ])('%s', (_what, given) => {
    expect(missing(given).stretches).toEqual([]);
  });

  test('the many silences of a camera that records on motion, though its file is damaged', () => {
    const motion = perSecond([0, 1, 2, 3, 4].map((minute) => [minute * 60, minute * 60 + 5, 10] as const));
    expect(missing({ decoded: motion, streams: [video(motion)], isDamaged: true }).stretches).toEqual([]);
  });

  test('more than was lost, where the two counts lie apart', () => {
    // A jump that the packets have seen and the pictures have not: all pictures came, a second later.
    const decoded = perSecond([[1, 21, 10]]);
    expect(missing({ decoded, streams: [video(all)] }).stretches).toEqual([]);
  });
});
