import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import type { StageTiming, ModelChain } from '../../../src/chain/model-chain.ts';
import type { ChainStage } from '../../../src/failure/stage.ts';
import { withDecodedFrames } from '../../../src/video/decode/decode.ts';
import type { FramePool } from '../../../src/video/frames/frame-pool.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import type { FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';

const TIMEOUT_MS = 1_800_000;
const LIMITS = { maxDurationSeconds: 7_200, maxPixels: 10_000_000, maxFrameRate: 120, maxFrames: 500_000 };

export interface OneChain {
  readonly tools: FfmpegTools;
  readonly chain: ModelChain;
  readonly pool: FramePool;
  /** Of each video; the defaults when absent. */
  readonly framesInFlight?: number;
  readonly decoderThreads?: number;
}

/** Analyses the file so many times at once on one chain, and gives the sampled frames of all together. Scene texts are off. */
export async function analyseAtOnce(one: OneChain, video: string, videos: number): Promise<number> {
  const counts = await Promise.all(Array.from({ length: videos }, () => analyse(one, video)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function analyse(one: OneChain, video: string): Promise<number> {
  const { tools, chain, pool, decoderThreads: threads = 1 } = one;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const info = await probeVideo(tools, video, { ...LIMITS, maxStreams: 8, timeoutMs: 60_000 }, signal);
  const { framesInFlight = DEFAULT_ANALYSIS_SETTINGS.framesInFlight } = one;
  const settings = { ...DEFAULT_ANALYSIS_SETTINGS, framesInFlight, scene: 'off' as const };
  const { framesPerSecond } = settings;
  const { maxFrames, maxDurationSeconds } = LIMITS;
  const limits = { stallTimeoutMs: 120_000, wallTimeoutMs: TIMEOUT_MS, maxFrames, maxDurationSeconds, threads };
  const workspaceDir = await mkdtemp(join(tmpdir(), 'bench-run-'));
  try {
    const decoding = { ...limits, framesPerSecond, pool };
    const { sampling } = await withDecodedFrames([tools, video, info, decoding, signal], (decoded) =>
      analyzeVideo(
        { videoId: 'bench', info, ...decoded, workspaceDir },
        { chain, describer: null },
        settings,
        () => undefined,
        signal,
      ),
    );
    return sampling.frames;
  } finally {
    await rm(workspaceDir, { recursive: true, force: true });
  }
}

/** Items in a run, by stage. */
export function itemsPerRun(timings: Readonly<Record<ChainStage, StageTiming>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(timings)
      .filter(([, { runs }]) => runs > 0)
      .map(([stage, { items, runs }]) => [stage, Number((items / runs).toFixed(2))]),
  );
}
