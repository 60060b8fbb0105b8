import { readFile } from 'node:fs/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createBedrockDescriber, DEFAULT_BEDROCK_SETTINGS } from '../scene/bedrock.ts';
import { createModelChain } from '../chain/create-model-chain.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import type { SceneDescriber } from '../scene/scene.ts';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../analysis/settings.ts';
import { parseZonePlan } from '../analysis/zones.ts';
import type { Config } from '../config/config.ts';
import { loadPack } from '../packs/load-pack.ts';
import { openDatabase, type Database } from '../persistence/client.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { VideoLimits } from '../video/video-limits.ts';
import type { VideoProcessorSettings } from '../job/job-context.ts';

const PROBE_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Stores and queues, on the endpoint that the configuration names. The caller destroys the client. */
export function createS3(config: Config): S3Client {
  const { region, endpointUrl, s3ForcePathStyle } = config.aws;
  return new S3Client({
    region,
    forcePathStyle: s3ForcePathStyle,
    ...(endpointUrl === null ? {} : { endpoint: endpointUrl }),
  });
}

export function createSqs(config: Config): SQSClient {
  const { region, endpointUrl } = config.aws;
  return new SQSClient({ region, ...(endpointUrl === null ? {} : { endpoint: endpointUrl }) });
}

export async function openConfiguredDatabase(config: Config<'database'>): Promise<Database> {
  const { url, schema, poolSize } = config.database;
  return await openDatabase({ url, schema, poolSize });
}

export interface OpenChainOptions {
  /** The files were hashed a moment ago, by the preflight: several gigabytes are not read twice. */
  readonly isVerified?: boolean;
  readonly signal?: AbortSignal;
}

/** `device` is what the preflight resolved, so that `auto` is decided once. */
export async function openChain(
  config: Config<'models'>,
  device: 'cpu' | 'cuda',
  logger: Logger,
  { isVerified = false, signal }: OpenChainOptions = {},
): Promise<ModelChain> {
  const { modelPack, gpuDeviceId, cpuThreads, visionBatch, languageBatch } = config.inference;
  return await createModelChain({
    pack: await loadPack(modelPack),
    device,
    deviceId: gpuDeviceId,
    threads: { vision: cpuThreads, language: cpuThreads },
    batch: { detection: visionBatch, people: visionBatch, language: languageBatch },
    verifyHashes: !isVerified,
    logger,
    ...(signal === undefined ? {} : { signal }),
  });
}

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
    actionEverySamples: analysis.actionEverySamples,
    scene: scene.source,
    sceneEverySamples: scene.everySamples,
    sceneRequired: scene.failure === 'fail',
    zones,
    events: { ...DEFAULT_ANALYSIS_SETTINGS.events, highlightActions: [...analysis.highlightActions] },
  };
}

export function createDescriber(config: Config): (SceneDescriber & { close(): void }) | null {
  const { scene, aws } = config;
  if (scene.source !== 'bedrock') return null;
  return createBedrockDescriber({
    ...DEFAULT_BEDROCK_SETTINGS,
    region: scene.bedrockRegion ?? aws.region,
    modelId: scene.bedrockModelId,
    endpoint: scene.bedrockEndpointUrl,
    maxCallsPerVideo: scene.bedrockMaxCallsPerVideo,
  });
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

export async function processorSettings(config: Config): Promise<VideoProcessorSettings> {
  const limits = videoLimits(config);
  const { highlightsBucket } = config.analysis;
  return {
    workerId: config.worker.id,
    workDir: config.worker.workDir,
    analysis: await analysisSettings(config),
    decode: decodeSettings(config),
    download: { maxBytes: config.limits.maxObjectBytes, timeoutMs: REQUEST_TIMEOUT_MS },
    video: limits,
    highlightsBucket: config.analysis.highlightActions.length > 0 ? highlightsBucket : null,
    aliveSeconds: config.worker.runAliveSeconds,
  };
}

export function decodeSettings(config: Config): VideoProcessorSettings['decode'] {
  return {
    stallTimeoutMs: config.limits.decodeStallSeconds * 1000,
    wallTimeoutMs: config.worker.maxProcessingSeconds * 1000,
    maxFrames: videoLimits(config).maxFrames,
    threads: 0,
  };
}
