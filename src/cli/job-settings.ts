import { readFile } from 'node:fs/promises';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../analysis/settings.ts';
import { parseZonePlan, type ZonePlan } from '../analysis/zones.ts';
import type { Config } from '../config/config.ts';
import type { VideoProcessorSettings } from '../job/job-context.ts';
import { Failure } from '../failure/failure.ts';
import { ownOutput } from '../job/own-output.ts';
import { createFramePool } from '../video/frames/frame-pool.ts';
import type { VideoLimits } from '../video/probe/video-limits.ts';
import { decoderThreads, type ExecutionPlan } from './execution-plan.ts';
import { idleFrameBytes } from './frame-memory.ts';
import { usableCores } from './usable-cores.ts';

const PROBE_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** The camera's zones, or the usual ones. `CONFIG_INVALID` for a file that has none: ask before anything large is opened. */
export async function readZones({ analysis: { zonesFile } }: Config): Promise<ZonePlan> {
  if (zonesFile === null) return DEFAULT_ANALYSIS_SETTINGS.zones;
  const text = await readFile(zonesFile, 'utf8').catch((cause: unknown) => {
    throw new Failure('CONFIG_INVALID', `zones file ${zonesFile} cannot be read`, { cause });
  });
  return parseZonePlan(text, zonesFile);
}

export function analysisSettings(
  { analysis, scene }: Config,
  { framesInFlight }: Pick<ExecutionPlan, 'framesInFlight'>,
  zones: ZonePlan,
): AnalysisSettings {
  return {
    ...DEFAULT_ANALYSIS_SETTINGS,
    framesPerSecond: analysis.sampleFps,
    framesInFlight,
    attributes: analysis.attributes,
    actionEverySeconds: analysis.actionEverySeconds,
    actionEverySamples: analysis.actionEverySamples,
    stillPictures: analysis.stillPictures,
    scene: scene.source,
    sceneEverySamples: scene.everySamples,
    sceneRequired: scene.failure === 'fail',
    zones,
    events: { ...DEFAULT_ANALYSIS_SETTINGS.events, highlightActions: [...analysis.highlightActions] },
  };
}

export function videoLimits(config: Config): VideoLimits {
  const { maxVideoSeconds, maxVideoPixels, maxFrameRate, maxStreams } = config.limits;
  return {
    maxDurationSeconds: maxVideoSeconds,
    maxPixels: maxVideoPixels,
    maxFrameRate,
    maxFrames: maxVideoSeconds * maxFrameRate,
    maxStreams,
    timeoutMs: PROBE_TIMEOUT_MS,
  };
}

/** What the videos meet that are worked on at once. */
interface Load {
  /** Where the models run. */
  readonly device: 'cpu' | 'cuda';
  readonly videosAtOnce: number;
}

interface ProcessorLoad extends Load {
  readonly zones: ZonePlan;
  /** The GPU that decodes, as the preflight found. */
  readonly decoderGpu: number | null;
}

export function processorSettings(
  config: Config,
  plan: ExecutionPlan,
  { zones, decoderGpu, ...load }: ProcessorLoad,
): VideoProcessorSettings {
  const limits = videoLimits(config);
  const { highlightsBucket } = config.analysis;
  return {
    workerId: config.worker.id,
    analysis: analysisSettings(config, plan, zones),
    decode: { ...decodeSettings(config, plan, load), gpu: decoderGpu },
    download: { maxBytes: config.limits.maxObjectBytes, timeoutMs: REQUEST_TIMEOUT_MS },
    video: limits,
    highlightsBucket: config.analysis.highlightActions.length > 0 ? highlightsBucket : null,
    maxResultRows: config.limits.maxResultRows,
    highlightsRequired: config.analysis.highlightsFailure === 'fail',
    ignores: ownOutput(highlightsBucket),
    aliveSeconds: config.worker.runAliveSeconds,
    leaseSeconds: config.queue.visibilityTimeoutSeconds,
  };
}

/**
 * Of a video: all that are decoded with these settings share their memory of frames, one at a time without a load. Without a plan no model
 * runs beside it. The GPU decodes where it was asked for by name; what `auto` is, only a preflight knows.
 */
export function decodeSettings(
  config: Config,
  plan: Pick<ExecutionPlan, 'decoderThreads' | 'framesInFlight'> | null,
  load: Load | null = null,
): VideoProcessorSettings['decode'] {
  const alone = { models: null, cores: usableCores(), videosAtOnce: 1 };
  return {
    stallTimeoutMs: config.limits.decodeStallSeconds * 1000,
    wallTimeoutMs: config.worker.maxProcessingSeconds * 1000,
    maxFrames: videoLimits(config).maxFrames,
    maxDurationSeconds: config.limits.maxVideoSeconds,
    mode: config.decode.mode,
    threads: plan?.decoderThreads ?? decoderThreads(config, alone),
    gpu: config.decode.device === 'cuda' ? config.inference.gpuDeviceId : null,
    pool: createFramePool(
      plan === null ? {} : { maxIdleBytes: idleFrameBytes(config, plan.framesInFlight, load?.videosAtOnce ?? 1) },
    ),
    threadFromBytes: threadFromBytes(config, load),
  };
}

/**
 * From so many bytes of samples on (64 in 1080p) a thread takes at least 100 ms from the main thread, and costs the host 40 to 85 ms. On the CPU
 * the models want the cores more than the main thread does, and a single video leaves that thread time enough.
 */
const THREAD_FROM_BYTES = 400_000_000;

function threadFromBytes({ decode: { frameThreads } }: Config, load: Load | null): number | null {
  if (frameThreads !== 'auto') return frameThreads === 'on' ? 0 : null;
  return load !== null && load.device === 'cuda' && load.videosAtOnce > 1 ? THREAD_FROM_BYTES : null;
}
