import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { analyzeVideo } from '../../src/analysis/analyze-video.ts';
import { createModelChain } from '../../src/chain/create-model-chain.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../src/analysis/settings.ts';
import { loadPack } from '../../src/packs/load-pack.ts';
import { withDecodedFrames } from '../../src/video/decode/decode.ts';
import { createFramePool } from '../../src/video/frames/frame-pool.ts';
import { locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../../src/video/probe/probe.ts';

export interface PipelineRun {
  readonly durationSeconds: number;
  readonly frames: number;
  readonly wallMs: number;
  readonly framesPerSecond: number;
  /** Model runs of each thread, and waits for ffmpeg, as shares of the wall time. */
  readonly visionRunShare: number;
  readonly languageRunShare: number;
  readonly decoderWaitShare: number;
  /** Delay of the main thread's event loop, above the timer's own resolution. */
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Highest resident set of this process, models included, ffmpeg not. */
  readonly peakMiB: number;
  /** Processor time of this process while it analysed, all threads; unlike the wall time it does not grow with other work. */
  readonly cpuSeconds: number;
}

const RESOLUTION_MS = 1;
const TIMEOUT_MS = 1_800_000;

const round = (value: number, decimals: number): number => Number(value.toFixed(decimals));

async function run(packDir: string, video: string): Promise<PipelineRun> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const limits = { maxDurationSeconds: 3_600, maxPixels: 10_000_000, maxFrameRate: 120, maxFrames: 500_000 };
  const info = await probeVideo(tools, video, { ...limits, maxStreams: 8, timeoutMs: 60_000 }, signal);
  const chain = await createModelChain({
    pack: await loadPack(packDir),
    device: 'cpu',
    threads: { vision: 1, language: 1 },
    batch: { detection: 4, people: 16, language: 8 },
    localScenes: false,
  });
  const workspaceDir = await mkdtemp(join(tmpdir(), 'bench-run-'));
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  try {
    const settings = { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off' as const };
    const decoding = {
      framesPerSecond: settings.framesPerSecond,
      stallTimeoutMs: 120_000,
      wallTimeoutMs: TIMEOUT_MS,
      maxFrames: limits.maxFrames,
      maxDurationSeconds: limits.maxDurationSeconds,
      threads: 1,
      pool: createFramePool(),
    };
    delay.enable();
    const before = process.cpuUsage();
    const { sampling, timings } = await withDecodedFrames([tools, video, info, decoding, signal], (decoded) =>
      analyzeVideo(
        { videoId: 'bench', info, ...decoded, workspaceDir },
        { chain, describer: null },
        settings,
        () => undefined,
        signal,
      ),
    );
    const used = process.cpuUsage(before);
    delay.disable();
    const { stages, totalMs, decodeMs } = timings;
    const above = (nanoseconds: number): number => round(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS), 1);
    return {
      durationSeconds: info.durationSeconds,
      frames: sampling.frames,
      wallMs: totalMs,
      framesPerSecond: round((sampling.frames * 1_000) / totalMs, 2),
      visionRunShare: round((stages.detection.runMs + stages.ageGender.runMs + stages.orientation.runMs) / totalMs, 3),
      languageRunShare: round((stages.action.runMs + stages.scene.runMs) / totalMs, 3),
      decoderWaitShare: round(decodeMs / totalMs, 3),
      loopDelayMs: { p50: above(delay.percentile(50)), p99: above(delay.percentile(99)), max: above(delay.max) },
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      cpuSeconds: round((used.user + used.system) / 1e6, 1),
    };
  } finally {
    await chain.close();
    await rm(workspaceDir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [packDir = '', video = ''] = process.argv.slice(2);
  const figures = await run(packDir, video);
  if (process.send === undefined) console.log(JSON.stringify(figures));
  else process.send(figures);
  process.disconnect?.();
}
