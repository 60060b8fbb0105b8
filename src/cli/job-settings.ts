import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../analysis/settings.ts';
import { parseZonePlan } from '../analysis/zones.ts';
import type { Config } from '../config/config.ts';
import type { VideoProcessorSettings } from '../job/job-context.ts';
import { ownOutput } from '../job/own-output.ts';
import { createFramePool } from '../video/frames/frame-pool.ts';
import type { VideoLimits } from '../video/probe/video-limits.ts';

const PROBE_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** As many as ffmpeg takes by itself: more only cost memory. */
const MOST_DECODER_THREADS = 16;

export async function analysisSettings(config: Config): Promise<AnalysisSettings> {
  const { analysis, scene } = config;
  const zones =
    analysis.zonesFile === null
      ? DEFAULT_ANALYSIS_SETTINGS.zones
      : parseZonePlan(await readFile(analysis.zonesFile, 'utf8'), analysis.zonesFile);
  return {
    ...DEFAULT_ANALYSIS_SETTINGS,
    framesPerSecond: analysis.sampleFps,
    attributes: analysis.attributes,
    actionEverySeconds: analysis.actionEverySeconds,
    actionEverySamples: analysis.actionEverySamples,
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

/** `decoderGpu`: the GPU that decodes, as the preflight found. */
export async function processorSettings(config: Config, decoderGpu: number | null): Promise<VideoProcessorSettings> {
  const limits = videoLimits(config);
  const { highlightsBucket } = config.analysis;
  return {
    workerId: config.worker.id,
    workDir: config.worker.workDir,
    analysis: await analysisSettings(config),
    decode: { ...decodeSettings(config, config.worker.concurrency), gpu: decoderGpu },
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
 * Of a video, of which so many are decoded at once: all that are decoded with these settings share their memory of frames. The GPU decodes
 * where it was asked for by name; what `auto` is, only a preflight knows.
 */
export function decodeSettings(config: Config, videosAtOnce: number): VideoProcessorSettings['decode'] {
  return {
    stallTimeoutMs: config.limits.decodeStallSeconds * 1000,
    wallTimeoutMs: config.worker.maxProcessingSeconds * 1000,
    maxFrames: videoLimits(config).maxFrames,
    maxDurationSeconds: config.limits.maxVideoSeconds,
    mode: config.decode.mode,
    threads: decoderThreads(config, videosAtOnce),
    gpu: config.decode.device === 'cuda' ? config.inference.gpuDeviceId : null,
    pool: createFramePool(),
  };
}

/** Of one of so many videos. */
export function decoderThreads(config: Config, videosAtOnce: number): number {
  return config.decode.threads ?? freeThreads(availableParallelism(), videosAtOnce);
}

/** Cores for each of so many decoders: threads beyond them make the decoding cost more and end no sooner. */
export function freeThreads(cores: number, decoders: number): number {
  return Math.min(MOST_DECODER_THREADS, Math.max(1, Math.floor(cores / decoders)));
}
