import { describe, expect, test } from '@jest/globals';
import { judgeEnd, type DecodingEnd } from '../../../src/video/decode/judge-end.ts';
import type { PacketScan } from '../../../src/video/probe/packet-scan.ts';
import type { ProbedVideo } from '../../../src/video/probed-video.ts';
import { LastWords } from '../../../src/video/tools/last-words.ts';
import { PLAIN_VIDEO } from '../../harness/footage.ts';

interface Given {
  readonly promised?: number;
  readonly from?: number;
  readonly to?: number;
  readonly packetsTo?: number;
  readonly error?: string;
  readonly exitCode?: number;
  readonly isTorn?: boolean;
}

function ended({ from = 0, to = 20, error, exitCode = 0, isTorn = false }: Given): DecodingEnd {
  const words = new LastWords();
  words.add('[info] Input #0, mov');
  if (error !== undefined) words.add(`[h264 @ 0x1] [error] ${error}`);
  const perSecond = Array.from({ length: to }, (_, second) => (second >= from ? 10 : 0));
  return {
    end: { tool: 'ffmpeg', exit: { code: exitCode, signal: null, isOomKilled: false, mayHaveSpentCpu: false }, words },
    decodedFrames: (to - from) * 10,
    span: { startSeconds: from, endSeconds: to, perSecond },
    isTorn,
    isTimeSure: true,
    details: {},
  };
}

function scanTo(seconds: number): PacketScan {
  const stream = {
    index: 0,
    isVideo: true,
    packets: seconds * 10,
    startSeconds: 0,
    endSeconds: seconds,
    perSecond: Array.from({ length: seconds }, () => 10),
    isContinuous: true,
    isTimed: true,
  };
  return { streams: [stream], latestSeconds: seconds, bytesAfterLast: 0, strayVideoPid: null };
}

function judge(given: Given): ReturnType<typeof judgeEnd> {
  const video: ProbedVideo = { ...PLAIN_VIDEO, durationSeconds: given.promised ?? 20 };
  return judgeEnd(video, ended(given), async () => {
    await Promise.resolve();
    return scanTo(given.packetsTo ?? given.promised ?? 20);
  });
}

describe('a promise that came true', () => {
  test('is the length, and no packet is read', async () => {
    const video = { ...PLAIN_VIDEO, durationSeconds: 20.4 };
    const never = (): Promise<PacketScan> => Promise.reject(new Error('nobody asked'));
    expect(await judgeEnd(video, ended({}), never)).toEqual({ durationSeconds: 20.4, decodedFrames: 200, missing: [] });
  });

  test('is kept with a complaint of the decoder that cost nothing', async () => {
    expect(await judge({ error: 'concealing errors' })).toMatchObject({ durationSeconds: 20, missing: [] });
  });
});

describe('a rate that varies', () => {
  test('the last frame is as long as the header says, which may be less than frames are on average', async () => {
    const video = { ...PLAIN_VIDEO, durationSeconds: 17.2, frameRate: 0.25 };
    const footage = await judgeEnd(video, ended({}), () => Promise.reject(new Error('nobody asked')));
    expect(footage).toMatchObject({ durationSeconds: 17.2, missing: [] });
  });
});

describe('a promise that did not', () => {
  test('a header that promises too little: the length is what came', async () => {
    expect(await judge({ promised: 2 })).toMatchObject({ durationSeconds: 20, missing: [] });
  });

  test('a file that ends early without damage is degraded', async () => {
    expect(await judge({ promised: 40, packetsTo: 20 })).toMatchObject({
      durationSeconds: 20,
      missing: [{ fromSeconds: 20, toSeconds: 40 }],
    });
  });

  test.each<[string, Given]>([
    ['that complains', { error: 'partial file' }],
    ['that gives up', { error: 'Invalid data', exitCode: 1 }],
    ['that breaks off in a picture', { error: 'partial file', isTorn: true }],
  ])('a file whose end is missing, with a decoder %s, is truncated', async (_what, change) => {
    await expect(judge({ promised: 40, packetsTo: 40, ...change })).rejects.toMatchObject({
      code: 'VIDEO_TRUNCATED',
      message: 'only 20.00 of 40.00 s could be decoded',
    });
  });

  test('a damaged head is no missing tail', async () => {
    expect(await judge({ from: 9, error: 'non-existing PPS' })).toMatchObject({
      durationSeconds: 20,
      missing: [{ fromSeconds: 0, toSeconds: 9 }],
    });
  });

  test('a little less at the end of a damaged file is degraded, not refused', async () => {
    expect(await judge({ to: 19, error: 'partial file' })).toMatchObject({
      missing: [{ fromSeconds: 19, toSeconds: 20 }],
    });
  });
});

test('no picture at all is a failure of the file where ffmpeg said why, and of nobody where it said nothing', async () => {
  await expect(judge({ to: 0, error: 'no frame!' })).rejects.toMatchObject({ code: 'VIDEO_NO_FRAMES' });
  const silent = { ...ended({ to: 0 }), end: { ...ended({ to: 0 }).end, words: new LastWords() } };
  await expect(judgeEnd(PLAIN_VIDEO, silent, () => Promise.resolve(scanTo(20)))).rejects.toMatchObject({
    code: 'DECODER_INTERRUPTED',
  });
});

test('half a picture at the end of an otherwise whole video is a decoder that gave up', async () => {
  await expect(judge({ isTorn: true, error: 'x' })).rejects.toMatchObject({ code: 'VIDEO_DECODE_FAILED' });
});
