import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createFramePool } from '../../src/video/frames/frame-pool.ts';
import { FrameCollector } from '../../src/video/reading/frame-collector.ts';
import type { FrameStream } from '../../src/video/reading/frame-stream.ts';
import type * as Threaded from '../../src/video/reading/threaded-frames.ts';
import { startLimited, type LimitedChild } from '../../src/video/tools/child-process.ts';
import { locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import { openSocketPair } from '../../src/video/tools/socket-pair.ts';

// As it is built: a thread whose own file is TypeScript takes twice as much to start, and 20 MiB.
const BUILT = join(import.meta.dirname, '../../dist/video/reading/threaded-frames.js');
const { ThreadedFrames } = (await import(pathToFileURL(BUILT).href)) as typeof Threaded;

/** What one process says that reads so many videos at once and does nothing else. */
export interface ReadingRun {
  readonly frames: number;
  readonly wallMs: number;
  /** Of the main thread, of the whole process, and of the processes of ffmpeg. */
  readonly mainMs: number;
  readonly processMs: number;
  readonly ffmpegMs: number;
  /** How late the main loop was. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly residentMiB: number;
  /** What it costs to open and end a stream without a frame. */
  readonly openMainMs: number;
  readonly openProcessMs: number;
}

const [WIDTH, HEIGHT] = [1920, 1080];
const WARM_MS = 1_500;
/** Of each video, in use while the next ones come. */
const HELD = 2;
const OPENINGS = 20;
const NO_LIMITS = { cpuSeconds: null, memoryBytes: null };
const never = new AbortController().signal;
const pool = createFramePool();
let frames = 0;

const [where, ...numbers] = process.argv.slice(2);
const [videos = 1, framesPerSecond = 0, seconds = 1] = numbers.map(Number);
const open = (): FrameStream => {
  const bytes = WIDTH * HEIGHT * 3;
  return where === 'thread' ? new ThreadedFrames(bytes, pool) : new FrameCollector(bytes, pool);
};
process.send?.(await run());
process.disconnect();

async function run(): Promise<ReadingRun> {
  const opened = await costOf(openAndEnd);
  const { ffmpeg } = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const read = await Promise.all(Array.from({ length: videos }, () => startVideo(ffmpeg)));
  try {
    await sleep(WARM_MS);
    const ffmpegBefore = await ffmpegMs(read);
    const delay = monitorEventLoopDelay({ resolution: 2 });
    delay.enable();
    frames = 0;
    const cost = await costOf(() => sleep(seconds * 1000));
    const framesRead = frames;
    delay.disable();
    return {
      frames: framesRead,
      ...cost,
      ffmpegMs: (await ffmpegMs(read)) - ffmpegBefore,
      delayP99Ms: delay.percentile(99) / 1e6,
      delayMaxMs: delay.max / 1e6,
      residentMiB: process.memoryUsage.rss() / 1024 ** 2,
      openMainMs: opened.mainMs / OPENINGS,
      openProcessMs: opened.processMs / OPENINGS,
    };
  } finally {
    await Promise.all(read.map(({ child }) => child.stop()));
    await Promise.all(read.map(({ stream }) => stream[Symbol.asyncDispose]()));
  }
}

interface Video {
  readonly stream: FrameStream;
  readonly child: LimitedChild;
}

/** ffmpeg makes pictures at its share of the frames per second, or as fast as they are taken. */
async function startVideo(ffmpeg: string): Promise<Video> {
  const stream = open();
  const pair = await openSocketPair(stream.connect, never);
  const pace = framesPerSecond === 0 ? '' : `,realtime`;
  const source = `color=s=${WIDTH}x${HEIGHT}:r=${framesPerSecond === 0 ? 25 : framesPerSecond / videos},format=rgb24${pace}`;
  const args = ['-v', 'error', '-f', 'lavfi', '-i', source, '-f', 'rawvideo', 'pipe:1'];
  const child = await startLimited(ffmpeg, args, tmpdir(), NO_LIMITS, { output: pair });
  const held: (() => void)[] = [];
  stream.follow(() => {
    for (let frame = stream.take(); frame !== null; frame = stream.take()) {
      frames += 1;
      held.push(frame.release);
      if (held.length > HELD) held.shift()?.();
    }
  });
  return { stream, child };
}

async function openAndEnd(): Promise<void> {
  for (let i = 0; i < OPENINGS; i++) {
    await using stream = open();
    const { far } = await openSocketPair(stream.connect, never);
    far.destroy();
  }
}

async function costOf(work: () => Promise<unknown>): Promise<Pick<ReadingRun, 'wallMs' | 'mainMs' | 'processMs'>> {
  const started = performance.now();
  const [main, all] = [process.threadCpuUsage(), process.cpuUsage()];
  await work();
  const ofMain = process.threadCpuUsage(main);
  const ofAll = process.cpuUsage(all);
  return {
    wallMs: performance.now() - started,
    mainMs: (ofMain.user + ofMain.system) / 1000,
    processMs: (ofAll.user + ofAll.system) / 1000,
  };
}

async function ffmpegMs(read: readonly Video[]): Promise<number> {
  const usages = await Promise.all(read.map(({ child }) => child.usage()));
  return usages.reduce((sum, usage) => sum + (usage?.cpuMs ?? 0), 0);
}
