import { SQSClient } from '@aws-sdk/client-sqs';
import { createModelChain } from '../chain/create-model-chain.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import type { Config } from '../config/config.ts';
import { withNamedCredentials } from '../failure/sources/credentials.ts';
import { loadPack } from '../packs/load-pack.ts';
import { openDatabase, type Database } from '../persistence/client.ts';
import { migrateDatabase } from '../persistence/migrate.ts';
import { createBedrockDescriber, DEFAULT_BEDROCK_SETTINGS, type BedrockDescriber } from '../scene/bedrock.ts';
import type { SceneDescriber } from '../analysis/scene-writer.ts';
import { createS3Client, type S3Client } from '../storage/s3-client.ts';
import type { Logger } from '../telemetry/logger.ts';
import { locateFfmpeg, type FfmpegTools } from '../video/tools/ffmpeg-binary.ts';
import { ClosingStack } from './closing-stack.ts';

const MIGRATION_TIMEOUT_MS = 60_000;

/** Stores and queues, on the endpoint that the configuration names. */
export interface Clients extends Disposable {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
}

/** The models and who else writes scene texts. */
export interface Models extends AsyncDisposable {
  readonly chain: ModelChain;
  readonly describer: SceneDescriber | null;
}

/** What a job needs beside the store: opened together, closed together. */
export interface Parts extends Models {
  readonly tools: FfmpegTools;
  readonly database: Database;
}

export interface OpenModelsOptions {
  /** What the preflight resolved, so that `auto` is decided once. */
  readonly device: 'cpu' | 'cuda';
  readonly logger: Logger;
  /** The files were hashed a moment ago, by the preflight: several gigabytes are not read twice. */
  readonly isVerified?: boolean;
  readonly signal?: AbortSignal;
}

/** Connects to nothing yet: the first call does. */
export function openClients(config: Config): Clients {
  const { region, endpointUrl, s3ForcePathStyle } = config.aws;
  const s3 = createS3Client({ region, endpoint: endpointUrl, forcePathStyle: s3ForcePathStyle });
  const sqs = withNamedCredentials(
    new SQSClient({ region, ...(endpointUrl === null ? {} : { endpoint: endpointUrl }) }),
  );
  return {
    s3,
    sqs,
    [Symbol.dispose]() {
      sqs.destroy();
      s3.destroy();
    },
  };
}

export async function openConfiguredDatabase(config: Config<'database'>): Promise<Database> {
  const { url, schema, poolSize } = config.database;
  return await openDatabase({ url, schema, poolSize });
}

/**
 * Opens ffmpeg, the database (migrated where the configuration asks for it) and the models, in this order; they close in
 * the reverse one. An opening that fails closes what was opened before it.
 */
export async function openParts(config: Config<'database' | 'models'>, options: OpenModelsOptions): Promise<Parts> {
  await using opening = new ClosingStack();
  const tools = await locateFfmpeg(config.ffmpeg);
  const database = opening.add(await openConfiguredDatabase(config), (opened) => opened.close());
  if (config.database.migrateOnStart) {
    const limit = AbortSignal.timeout(MIGRATION_TIMEOUT_MS);
    const applied = await migrateDatabase(
      database,
      options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]),
    );
    if (applied.length > 0) options.logger.info({ applied }, 'database migrated');
  }
  const { chain, describer } = opening.add(await openModels(config, options), (opened) =>
    opened[Symbol.asyncDispose](),
  );
  return closedWith(opening.move(), { tools, database, chain, describer });
}

/** The models alone, for an analysis without a database. */
export async function openModels(config: Config<'models'>, options: OpenModelsOptions): Promise<Models> {
  await using opening = new ClosingStack();
  const describer = opening.add(createDescriber(config), (opened) => opened?.close());
  const chain = opening.add(await openChain(config, options), (opened) => opened.close());
  return closedWith(opening.move(), { chain, describer });
}

function closedWith<T extends object>(opened: ClosingStack, parts: T): T & AsyncDisposable {
  return { ...parts, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

async function openChain(
  config: Config<'models'>,
  { device, logger, isVerified = false, signal }: OpenModelsOptions,
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

function createDescriber(config: Config): BedrockDescriber | null {
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
