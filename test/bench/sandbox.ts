import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeFrames } from '../../src/video/decode/decode.ts';
import { createFramePool } from '../../src/video/frames/frame-pool.ts';
import { probeVideo } from '../../src/video/probe/probe.ts';
import { askVersion, type FfmpegTools } from '../../src/video/tools/ffmpeg-binary.ts';
import { openTools } from '../../src/video/tools/open-tools.ts';
import { makeSmallVideo } from '../harness/media.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../harness/small-videos.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { median, rounded } from './figures.ts';
import { streetFootage } from './street-footage.ts';

/** Of each kind; the two of a pair follow each other, and take turns in being the first. */
const PAIRS = { street: 5, short: 15, start: 25 } as const;
const LIMITS = { ...SMALL_VIDEO_LIMITS, maxDurationSeconds: 600, maxPixels: 1e7, maxFrames: 1e5, timeoutMs: 60_000 };
const DECODING = {
  ...SMALL_VIDEO_DECODING,
  framesPerSecond: 1.5,
  maxDurationSeconds: 600,
  maxFrames: 1e5,
  stallTimeoutMs: 60_000,
  wallTimeoutMs: 600_000,
};
const never = new AbortController().signal;

interface Cost {
  readonly wallMs: number;
  /** Of the tools, by the kernel's account of children that have ended. */
  readonly toolsMs: number;
}

/** What the decoder's sandbox costs: whole videos, from probing to the last frame, and a start that does next to nothing. */
export async function benchSandbox(): Promise<object> {
  await using folder = await temporaryFolder('bench-sandbox');
  const paths = { ffmpegPath: null, ffprobePath: null };
  const within = await openTools(paths, { choice: 'require', hidden: [] }, never);
  const without = { ...within, sandbox: undefined };
  const short = join(folder.path, 'short.mp4');
  await makeSmallVideo(short);
  const clip = (await streetFootage())?.clip ?? null;
  return {
    street:
      clip === null
        ? 'skipped: the street clip is not here; set STREET_DIR'
        : await compare(PAIRS.street, within, without, (tools) => decodeWhole(tools, clip)),
    short: await compare(PAIRS.short, within, without, (tools) => decodeWhole(tools, short)),
    start: await compare(PAIRS.start, within, without, async (tools) => void (await askVersion(tools))),
  };
}

async function decodeWhole(tools: FfmpegTools, file: string): Promise<void> {
  const info = await probeVideo(tools, file, LIMITS, never);
  const frames = decodeFrames(tools, file, info, { ...DECODING, pool: createFramePool() }, never);
  for await (const { release } of frames) release();
}

async function compare(
  pairs: number,
  within: FfmpegTools,
  without: FfmpegTools,
  work: (tools: FfmpegTools) => Promise<void>,
): Promise<object> {
  const costs: { within: Cost; without: Cost }[] = [];
  // The first pair fills the caches of the disk.
  for (let pair = -1; pair < pairs; pair++) {
    const first = await costOf(work, pair % 2 === 0 ? within : without);
    const second = await costOf(work, pair % 2 === 0 ? without : within);
    if (pair >= 0) costs.push(pair % 2 === 0 ? { within: first, without: second } : { within: second, without: first });
  }
  const middle = (of: (pair: (typeof costs)[number]) => number): number => rounded(median(costs.map(of)));
  return {
    pairs,
    withoutMs: middle(({ without: cost }) => cost.wallMs),
    withinMs: middle(({ within: cost }) => cost.wallMs),
    wallRatio: middle((pair) => pair.within.wallMs / pair.without.wallMs),
    moreWallMs: middle((pair) => pair.within.wallMs - pair.without.wallMs),
    withoutToolsMs: middle(({ without: cost }) => cost.toolsMs),
    withinToolsMs: middle(({ within: cost }) => cost.toolsMs),
  };
}

async function costOf(work: (tools: FfmpegTools) => Promise<void>, tools: FfmpegTools): Promise<Cost> {
  const before = await childrenMs();
  const started = performance.now();
  await work(tools);
  return { wallMs: performance.now() - started, toolsMs: (await childrenMs()) - before };
}

async function childrenMs(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
