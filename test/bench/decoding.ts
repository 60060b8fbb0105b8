import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { samplingFilter } from '../../src/video/clock/sampling-filter.ts';
import { decodeArguments } from '../../src/video/decode/decode-arguments.ts';
import { WHOLE_PASS } from '../../src/video/decode/decode-mode.ts';
import { probeVideo } from '../../src/video/probe/probe.ts';
import { askVersion, locateFfmpeg, type FfmpegTools } from '../../src/video/tools/ffmpeg-binary.ts';
import { makeMedia } from '../harness/media.ts';
import { SMALL_VIDEO_LIMITS } from '../harness/small-videos.ts';
import { median, rounded } from './figures.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  seconds: { type: 'string', default: '20' },
  rounds: { type: 'string', default: '5' },
  only: { type: 'string', default: '' },
} as const;

const FRAMES_PER_SECOND = 1.5;
const RATE = 30;

/** A picture that moves everywhere, with noise: a quiet camera is cheaper to decode. */
const SOURCE = `mandelbrot=s=1920x1080:r=${RATE}:maxiter=300:end_pts=3000,noise=alls=6:allf=t`;
const X264 = ['-c:v', 'libx264', '-preset', 'medium', '-b:v', '4M', '-pix_fmt', 'yuv420p'];
const X265 = ['-c:v', 'libx265', '-preset', 'fast', '-b:v', '3M', '-x265-params', 'log-level=error:keyint=250'];

const FOOTAGE: Readonly<Record<string, readonly string[]>> = {
  'H.264, a key frame in 8 s': [...X264, '-g', '250'],
  'H.264, a key frame in every interval': [...X264, '-g', '15', '-x264-params', 'scenecut=0'],
  'HEVC, a key frame in 8 s': X265,
};

/** What is changed in the arguments of an exact decoding with one thread. */
interface Variant {
  readonly pass?: typeof WHOLE_PASS;
  readonly threads?: number;
  /** Before `-i`. */
  readonly input?: readonly string[];
  /** In place of `rgb24`. */
  readonly pixels?: string;
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  exact: {},
  'fast: unreferenced frames left out': { pass: { leftOut: 'unreferenced', gpu: null } },
  'fast: key frames alone': { pass: { leftOut: 'all-but-keys', gpu: null } },
  'two threads': { threads: 2 },
  'as many threads as ffmpeg likes': { threads: 0 },
  'no loop filter in unreferenced frames': { input: ['-skip_loop_filter', 'noref'] },
  'no loop filter but in key frames': { input: ['-skip_loop_filter', 'nokey'] },
  'no loop filter': { input: ['-skip_loop_filter', 'all'] },
  'flags2 fast': { input: ['-flags2', 'fast'] },
  'yuv420p on the pipe': { pixels: 'yuv420p' },
  'nv12 on the pipe': { pixels: 'nv12' },
};

interface Cost {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly peakMiB: number;
}

/**
 * Seconds of the processor, and by the clock, that ffmpeg takes for a minute of 1080p footage with the worker's own arguments and with
 * changes to them, in turns. Everything is in; the pictures go nowhere. `--only` takes the footage whose name has these words.
 */
export async function benchDecoding(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3) });
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  const tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const folder = await mkdtemp(join(tmpdir(), 'decoding-'));
  try {
    const footage: Record<string, object> = {};
    for (const [name, encoder] of Object.entries(FOOTAGE).filter(([footageName]) =>
      footageName.includes(values.only),
    )) {
      const file = join(folder, 'footage.mp4');
      await makeMedia(['-f', 'lavfi', '-i', SOURCE, '-t', String(seconds), ...encoder, file]);
      footage[name] = await measure(tools, file, seconds, rounds);
      console.error(name, footage[name]);
    }
    const machine = {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      ffmpeg: await askVersion(tools),
    };
    return { machine, seconds, rounds, footage };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(tools: FfmpegTools, file: string, seconds: number, rounds: number): Promise<object> {
  const costs = new Map<string, Cost[]>(Object.keys(VARIANTS).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, variant] of Object.entries(VARIANTS)) costs.get(name)?.push(await run(tools, file, variant));
  }
  const exact = costs.get('exact') ?? [];
  const figures = [...costs].map(([name, runs]) => [
    name,
    {
      cpuSecondsPerMinute: rounded((median(runs.map(({ cpuSeconds }) => cpuSeconds)) * 60) / seconds),
      ofExact: rounded(median(runs.map(({ cpuSeconds }, i) => cpuSeconds / (exact[i]?.cpuSeconds ?? Number.NaN)))),
      wallSecondsPerMinute: rounded((median(runs.map(({ wallSeconds }) => wallSeconds)) * 60) / seconds),
      peakMiB: Math.round(median(runs.map(({ peakMiB }) => peakMiB))),
    },
  ]);
  return Object.fromEntries(figures) as object;
}

async function run(tools: FfmpegTools, file: string, variant: Variant): Promise<Cost> {
  const { pass = WHOLE_PASS, threads = 1, input = [], pixels = 'rgb24' } = variant;
  const limits = { ...SMALL_VIDEO_LIMITS, maxDurationSeconds: 600, maxFrames: 100_000 };
  const video = await probeVideo(tools, file, limits, new AbortController().signal);
  const { startMicros, maxGapMicros } = video;
  const frameMicros = Math.round(1e6 / video.frameRate);
  const filter = samplingFilter({ framesPerSecond: FRAMES_PER_SECOND, startMicros, maxGapMicros, frameMicros });
  const args = decodeArguments(file, video, { filter, pass, threads }).flatMap((argument) => {
    if (argument === '-i') return [...input, argument];
    return argument.replaceAll('rgb24', pixels);
  });
  const child = spawn(tools.ffmpeg, ['-benchmark', ...args], {
    cwd: dirname(file),
    // Its notes on the frames go where its pictures go.
    stdio: ['ignore', 'ignore', 'pipe', 'ignore'],
  });
  const [said] = await Promise.all([text(child.stderr as Readable), once(child, 'close')]);
  const time = /utime=([\d.]+)s stime=([\d.]+)s rtime=([\d.]+)s/.exec(said);
  const peak = /maxrss=(\d+)/.exec(said);
  if (time === null || peak === null) throw new Error(`ffmpeg did not tell its times: ${said.slice(-500)}`);
  const [, user, system, wall] = time.map(Number);
  return { cpuSeconds: (user ?? 0) + (system ?? 0), wallSeconds: wall ?? 0, peakMiB: Number(peak[1]) / 1024 };
}
