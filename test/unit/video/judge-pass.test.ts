import { expect, test } from '@jest/globals';
import { judgePass } from '../../../src/video/decode/judge-pass.ts';
import type { DecodingEnd } from '../../../src/video/decode/judge-end.ts';
import { PassInDoubt } from '../../../src/video/decode/passes.ts';
import type { PacketScan } from '../../../src/video/probe/packet-scan.ts';
import { LastWords } from '../../../src/video/tools/last-words.ts';
import { PLAIN_VIDEO } from '../../harness/footage.ts';

interface Given {
  readonly to?: number;
  readonly packetsTo?: number;
  readonly error?: string;
  readonly exitCode?: number;
  readonly change?: Partial<DecodingEnd>;
  /** Of a file whose packets had to be read. */
  readonly strayVideoPid?: number | null;
}

/** A pass with an interval of 4 s. */
async function judge({ to = 20, packetsTo = 20, error, exitCode = 0, change, strayVideoPid }: Given): Promise<number> {
  const words = new LastWords();
  if (error !== undefined) words.add(`[h264 @ 0x1] [error] ${error}`);
  const exit = { code: exitCode, signal: null, isOomKilled: false, mayHaveSpentCpu: false };
  const ended: DecodingEnd = {
    end: { tool: 'ffmpeg', exit, words },
    decodedFrames: 5,
    span: { startSeconds: 0, endSeconds: to, perSecond: [] },
    isTorn: false,
    isTimeSure: true,
    details: {},
    ...change,
  };
  const stream = { index: 0, isVideo: true, packets: 9, startSeconds: 0, endSeconds: packetsTo, perSecond: [] };
  const scan: PacketScan = {
    streams: [{ ...stream, isContinuous: true, isTimed: true }],
    latestSeconds: packetsTo,
    bytesAfterLast: 0,
    strayVideoPid: strayVideoPid ?? null,
  };
  const video = { ...PLAIN_VIDEO, packets: strayVideoPid === undefined ? null : scan };
  return (await judgePass(video, ended, 4, async () => scan)).durationSeconds;
}

test.each([
  ['that ends as promised', {}],
  ['over a file whose packets had to be read', { strayVideoPid: null }],
  ['whose last key frame lies less than an interval before the end of the packets', { to: 16.5 }],
])('a pass %s vouches for the promised length', async (_name, given) => {
  await expect(judge(given)).resolves.toBe(20);
});

test.each([
  ['in which something was damaged', { error: 'error while decoding MB 3 4' }],
  ['that gave up', { exitCode: 1 }],
  ['with half a picture at its end', { change: { isTorn: true } }],
  ['that guessed a time', { change: { isTimeSure: false } }],
  ['without a frame', { change: { decodedFrames: 0 } }],
  ['whose packets end too soon', { to: 16.5, packetsTo: 17 }],
  ['that ends an interval too soon', { to: 15.5 }],
  ['that begins late', { change: { span: { startSeconds: 1.5, endSeconds: 20, perSecond: [] } } }],
  ['of a file that goes on under another number', { strayVideoPid: 512 }],
  ['that goes on beyond the promise', { to: 22 }],
])('a pass %s is in doubt', async (_name, given) => {
  await expect(judge(given)).rejects.toBeInstanceOf(PassInDoubt);
});

test('what ended the tool by force is told as it is', async () => {
  const exit = { code: null, signal: 'SIGKILL', isOomKilled: true, mayHaveSpentCpu: false } as const;
  const change = { end: { tool: 'ffmpeg', exit, words: new LastWords() } } as const;
  await expect(judge({ change })).rejects.toMatchObject({ code: 'HOST_OUT_OF_MEMORY' });
});
