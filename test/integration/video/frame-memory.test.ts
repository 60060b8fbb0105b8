import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeFrames, withDecodedFrames, type DecodeOptions } from '../../../src/video/decode/decode.ts';
import type { Frame } from '../../../src/video/frame.ts';
import { createFramePool, type FramePool } from '../../../src/video/frames/frame-pool.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import type { ProbedVideo } from '../../../src/video/probed-video.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { openDescriptors, openedSince } from '../../harness/descriptors.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { childrenOf, childrenWithoutGuard, sendSignal } from '../../harness/processes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
/** Of the decoder: two that wait and one that fills. */
const MOST_AHEAD = 3;
let folder: TemporaryFolder;
let tools: FfmpegTools;
let short: ProbedVideo;
let long: ProbedVideo;
let pool: FramePool;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  short = await video('short.mp4', 2);
  long = await video('long.mp4', 12);
});
beforeEach(() => {
  pool = createFramePool();
});
afterAll(() => folder.remove());

async function video(name: string, seconds: number): Promise<ProbedVideo> {
  await makeMedia([...testSource({ size: '320x240', rate: 25, seconds }), '-c:v', 'mpeg4', folder.at(name)]);
  return await probeVideo(tools, folder.at(name), SMALL_VIDEO_LIMITS, never);
}

function optionsOf(threadFromBytes: number | null, framesPerSecond = 25): DecodeOptions {
  return { ...SMALL_VIDEO_DECODING, framesPerSecond, pool, threadFromBytes };
}

async function ffmpegPid(): Promise<number> {
  const found = (await childrenOf()).find(({ name }) => name === 'ffmpeg');
  if (found === undefined) throw new Error('no ffmpeg is running');
  return found.pid;
}

const sum = ({ pixels }: Frame): string => createHash('md5').update(pixels).digest('hex');

describe.each([
  ['the thread that decodes', null],
  ['one of its own', 0],
])('the memory of frames that are read on %s', (_thread, threadFromBytes) => {
  function decode(info: ProbedVideo, name: string, framesPerSecond?: number) {
    return decodeFrames(tools, folder.at(name), info, optionsOf(threadFromBytes, framesPerSecond), never);
  }

  test.each([1, 3])('does not grow with the length of the video, with a consumer that holds %i', async (held) => {
    const most = async (info: ProbedVideo, name: string): Promise<{ lent: number; memories: number }> => {
      const memories = new Set<SharedArrayBuffer>();
      const holding: Frame[] = [];
      let lent = 0;
      for await (const frame of decode(info, name)) {
        memories.add(frame.pixels.buffer);
        holding.push(frame);
        // ffmpeg may run ahead meanwhile.
        for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
        lent = Math.max(lent, pool.stats().lent);
        if (holding.length >= held) holding.shift()?.release();
      }
      for (const { release } of holding) release();
      return { lent, memories: memories.size };
    };
    const [few, many] = [await most(short, 'short.mp4'), await most(long, 'long.mp4')];
    for (const { lent, memories } of [few, many]) {
      expect(lent).toBeLessThanOrEqual(MOST_AHEAD + held);
      expect(memories).toBeLessThanOrEqual(MOST_AHEAD + held);
    }
    expect(pool.stats().lent).toBe(0);
  });

  test('is given back where frames turn out to be no samples', async () => {
    for await (const { release } of decode(short, 'short.mp4', 1.5)) release();
    expect(pool.stats().lent).toBe(0);
  });

  test('is given back where the consumer leaves, but for what it holds', async () => {
    let held: Frame | null = null;
    for await (const frame of decode(long, 'long.mp4')) {
      held = frame;
      break;
    }
    expect(pool.stats().lent).toBe(1);
    held?.release();
    expect(pool.stats().lent).toBe(0);
  });

  test('is given back, with all descriptors, after an abort, a failure and the death of ffmpeg', async () => {
    const ends: readonly ((abort: AbortController) => Promise<void>)[] = [
      async (abort) => abort.abort(new Error('enough')),
      async () => void sendSignal(await ffmpegPid(), 'SIGKILL'),
      async () => {
        throw new Error('the consumer fails');
      },
    ];
    const before = await openDescriptors();
    for (const end of ends) {
      const abort = new AbortController();
      const use = async (): Promise<void> =>
        await withDecodedFrames(
          [tools, folder.at('long.mp4'), long, optionsOf(threadFromBytes), abort.signal],
          async ({ frames }) => {
            for await (const { sample, release } of frames) {
              release();
              if (sample === 5) await end(abort);
            }
          },
        );
      await expect(use()).rejects.toThrow();
      expect(pool.stats().lent).toBe(0);
    }
    expect(await openedSince(before)).toEqual([]);
  });

  test.each([1, 2, 30])(
    'that the host does not have, at piece %i, fails that video alone, with nothing left',
    async (last) => {
      const refused = new RangeError('Array buffer allocation failed');
      let taken = 0;
      const scarce: FramePool = {
        stats: () => pool.stats(),
        take: (bytes) => {
          taken += 1;
          if (taken >= last) throw refused;
          return pool.take(bytes);
        },
      };
      await childrenWithoutGuard();
      const before = await openDescriptors();
      const options = { ...optionsOf(threadFromBytes), pool: scarce };
      const use = async (): Promise<void> => {
        for await (const { release } of decodeFrames(tools, folder.at('long.mp4'), long, options, never)) release();
      };
      await expect(use()).rejects.toMatchObject({
        code: 'HOST_OUT_OF_MEMORY',
        class: 'system',
        message: expect.stringMatching(/no memory for a frame of 230400 bytes.*lower CONCURRENCY/),
        cause: refused,
      });
      expect([taken, pool.stats().lent]).toEqual([last, 0]);
      expect(await childrenWithoutGuard()).toEqual([]);
      expect(await openedSince(before)).toEqual([]);
    },
  );

  test('is shared by videos that are decoded at once, and mixed up by none', async () => {
    const alone: string[] = [];
    for await (const frame of decode(short, 'short.mp4')) {
      alone.push(sum(frame));
      frame.release();
    }
    const sums = async (info: ProbedVideo, name: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const frame of decode(info, name)) {
        await new Promise(setImmediate);
        found.push(sum(frame));
        frame.release();
      }
      return found;
    };
    const together = await Promise.all([1, 2, 3].map(() => sums(short, 'short.mp4')));
    for (const found of together) expect(found).toEqual(alone);
    expect(pool.stats().lent).toBe(0);
    expect(pool.stats().idle).toBeLessThanOrEqual(3 * (MOST_AHEAD + 1));
  });
});
