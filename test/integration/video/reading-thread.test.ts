import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeFrames, withDecodedFrames, type DecodeOptions } from '../../../src/video/decode/decode.ts';
import { createFramePool, type FramePool } from '../../../src/video/frames/frame-pool.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import type { ProbedVideo } from '../../../src/video/probed-video.ts';
import { ThreadedFrames } from '../../../src/video/reading/threaded-frames.ts';
import { startLimited } from '../../../src/video/tools/child-process.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { MEETING_FOLDER, openSocketPair } from '../../../src/video/tools/socket-pair.ts';
import { atDepth } from '../../harness/depth.ts';
import { openDescriptors, openedSince } from '../../harness/descriptors.ts';
import { outcomesWithFewDescriptors } from '../../harness/few-descriptors.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { childrenWithoutGuard } from '../../harness/processes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const NONE = { cpuSeconds: null, memoryBytes: null };
const SOURCE = join(import.meta.dirname, '..', '..', '..', 'src', 'video');
/** Of the video. */
const FRAMES = 75;
let folder: TemporaryFolder;
let tools: FfmpegTools;
let info: ProbedVideo;
let pool: FramePool;
let descriptorsBefore: ReadonlyMap<string, string>;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  await makeMedia([...testSource({ size: '320x240', rate: 25, seconds: 3 }), '-c:v', 'mpeg4', folder.at('video.mp4')]);
  info = await probeVideo(tools, folder.at('video.mp4'), SMALL_VIDEO_LIMITS, never);
  pool = createFramePool();
  // What the first thread loads stays open.
  await count(optionsOf());
});
beforeEach(async () => {
  pool = createFramePool();
  await childrenWithoutGuard();
  descriptorsBefore = await openDescriptors();
});
afterEach(async () => {
  const children = await childrenWithoutGuard();
  expect([await openedSince(descriptorsBefore), pool.stats().lent, children]).toEqual([[], 0, []]);
  expect((await readdir(folder.path)).filter((name) => name.startsWith(MEETING_FOLDER))).toEqual([]);
});
afterAll(() => folder.remove());

function optionsOf(): DecodeOptions {
  return { ...SMALL_VIDEO_DECODING, framesPerSecond: 25, pool, threadFromBytes: 0 };
}

async function count(options: DecodeOptions, onFrame: (number: number) => unknown = () => {}): Promise<number> {
  let frames = 0;
  for await (const { release } of decodeFrames(tools, folder.at('video.mp4'), info, options, never)) {
    release();
    frames += 1;
    await onFrame(frames);
  }
  return frames;
}

/** The next thread that this process starts. */
function nextThread(): Promise<Worker> {
  const { promise, resolve } = Promise.withResolvers<Worker>();
  const seen = (message: unknown): void => {
    unsubscribe('worker_threads', seen);
    resolve((message as { worker: Worker }).worker);
  };
  subscribe('worker_threads', seen);
  return promise;
}

describe('a thread that reads frames', () => {
  test('that ends by itself fails its video alone, which is tried again, and the next video has another one', async () => {
    const beside = count(optionsOf());
    await nextThread();
    const started = nextThread();
    // The consumer waits for the end of the thread: what it takes after that is no luck of its speed.
    const failing = count(optionsOf(), async (frames) => {
      if (frames === 5) await (await started).terminate();
    });
    await expect(failing).rejects.toMatchObject({
      code: 'READER_THREAD_DIED',
      class: 'temporary',
      message: expect.stringContaining('ended with code 1'),
    });
    expect([await beside, await count(optionsOf())]).toEqual([FRAMES, FRAMES]);
  });

  test('is started for a video that promises so many bytes of samples, and for no smaller one', async () => {
    const bytes = 320 * 240 * 3 * FRAMES;
    for (const [threadFromBytes, threads] of [
      [null, 0],
      [bytes + 1, 0],
      [bytes, 1],
    ] as const) {
      let started = 0;
      const seen = (): void => void (started += 1);
      subscribe('worker_threads', seen);
      expect(await count({ ...optionsOf(), threadFromBytes })).toBe(FRAMES);
      unsubscribe('worker_threads', seen);
      expect(started).toBe(threads);
    }
  });

  test('that ends before it is connected fails the opening', async () => {
    const started = nextThread();
    const failing = count(optionsOf());
    await (await started).terminate();
    await expect(failing).rejects.toMatchObject({ code: 'READER_THREAD_DIED' });
  });

  test.each([3, 4, 9])('that throws, at piece %i of memory, is told with its error', async (last) => {
    let taken = 0;
    const wrong: FramePool = {
      stats: () => pool.stats(),
      take: (bytes) => {
        taken += 1;
        return pool.take(taken === last ? 5_000 : bytes);
      },
    };
    await expect(count({ ...optionsOf(), pool: wrong })).rejects.toMatchObject({
      code: 'READER_THREAD_DIED',
      cause: expect.objectContaining({ name: 'RangeError' }),
    });
  });

  test('is gone when the signal fires before the first frame, whenever it does, and the reason says why', async () => {
    const reason = new Error('enough');
    const outcomes = new Set<unknown>();
    for (let turns = 0; turns < 60; turns += atDepth(7, 3)) {
      const abort = new AbortController();
      const decode = [tools, folder.at('video.mp4'), info, optionsOf(), abort.signal] as const;
      const using = withDecodedFrames([...decode], async ({ frames }) => {
        for await (const { release } of frames) release();
      }).then(
        () => 'ended',
        (error: unknown) => error,
      );
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      abort.abort(reason);
      outcomes.add(await using);
      expect(pool.stats().lent).toBe(0);
    }
    outcomes.delete('ended');
    expect([...outcomes]).toEqual([reason]);
  });

  test.each([1, 2, 5, 40, FRAMES, Infinity])(
    'is gone when the signal fires at frame %d and frames are held',
    async (at) => {
      const abort = new AbortController();
      const reason = new Error('enough');
      const started = nextThread();
      const held: (() => void)[] = [];
      const decode = [tools, folder.at('video.mp4'), info, optionsOf(), abort.signal] as const;
      const using = withDecodedFrames([...decode], async ({ frames }) => {
        for await (const { release } of frames) {
          held.push(release);
          if (held.length === at) abort.abort(reason);
        }
        // After the last one nothing is left to be ended.
        abort.abort(reason);
        return 'ended';
      });
      const outcome = await using.catch((error: unknown) => error);
      expect([outcome, held.length]).toEqual(at === Infinity ? ['ended', FRAMES] : [reason, at]);
      // What a consumer holds stays its own, and nothing else is lent.
      expect([(await started).threadId, pool.stats().lent]).toEqual([-1, held.length]);
      for (const release of held) release();
    },
  );

  test('is gone when nobody takes what it has read', async () => {
    const frames = new ThreadedFrames(1000, pool);
    const pair = await openSocketPair(frames.connect, never, [folder.path]);
    const { promise: isFull, resolve } = Promise.withResolvers<void>();
    frames.follow(() => {
      if (frames.waiting === 2) resolve();
    });
    const child = await startLimited('/bin/sh', ['-c', 'seq 1 100000'], folder.path, NONE, { output: pair });
    await isFull;
    expect([frames.ended, frames.failure, pool.stats().lent]).toEqual([false, null, 3]);
    const held = frames.take();
    await child.stop();
    await frames[Symbol.asyncDispose]();
    expect(pool.stats().lent).toBe(1);
    held?.release();
  });

  test('tells of what does not make a whole frame, and of the end', async () => {
    const frames = new ThreadedFrames(1000, pool);
    const pair = await openSocketPair(frames.connect, never, [folder.path]);
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    frames.follow(() => {
      if (frames.ended) resolve();
    });
    const child = await startLimited('/bin/sh', ['-c', 'printf %01234d 7'], folder.path, NONE, { output: pair });
    await isOver;
    const frame = frames.take();
    expect(Buffer.from(frame?.pixels ?? []).toString()).toBe('0'.repeat(1000));
    expect([frames.waiting, frames.partialBytes, frames.failure]).toEqual([0, 234, null]);
    expect(frames.reads).toBeGreaterThan(1);
    frame?.release();
    await child.stop();
    await frames[Symbol.asyncDispose]();
  });

  test('is gone when the child does not start', async () => {
    const frames = new ThreadedFrames(1000, pool);
    const pair = await openSocketPair(frames.connect, never, [folder.path]);
    const started = startLimited('/bin/true', [], folder.at('nowhere'), NONE, { output: pair });
    await expect(started).rejects.toMatchObject({ code: 'DECODER_INTERRUPTED' });
    await frames[Symbol.asyncDispose]();
  });
});

test('where descriptors run out for a thread the host is at fault, and none is lost', async () => {
  const outcomes = await outcomesWithFewDescriptors(folder.at('few.mjs'), {
    setUp: `import { createFramePool } from ${JSON.stringify(join(SOURCE, 'frames', 'frame-pool.ts'))};
    import { ThreadedFrames } from ${JSON.stringify(join(SOURCE, 'reading', 'threaded-frames.ts'))};
    import { openSocketPair } from ${JSON.stringify(join(SOURCE, 'tools', 'socket-pair.ts'))};
    const pool = createFramePool();
    const opened = async () => {
      await using frames = new ThreadedFrames(1000, pool);
      try {
        const pair = await openSocketPair(frames.connect, new AbortController().signal, [${JSON.stringify(folder.path)}]);
        pair.far.destroy();
        return 'opened';
      } catch (error) {
        return /raise LimitNOFILE/.test(error.message) ? error.code : String(error);
      }
    };`,
    open: "async () => { const outcome = await opened(); return pool.stats().lent === 0 ? outcome : pool.stats().lent + ' lent'; }",
    mostFree: 16,
  });
  expect(outcomes).toEqual(['HOST_FAULT', 'opened']);
});
