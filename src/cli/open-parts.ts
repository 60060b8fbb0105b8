import { createModelChain } from '../chain/create-model-chain.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import type { Config } from '../config/config.ts';
import { loadPack, type Pack } from '../packs/load-pack.ts';
import type { Database } from '../persistence/client.ts';
import type { BedrockDescriber } from '../scene/bedrock.ts';
import type { SceneDescriber } from '../analysis/scene-writer.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { FfmpegTools } from '../video/tools/ffmpeg-binary.ts';
import { ClosingStack } from './closing-stack.ts';
import { openConfiguredTools } from './open-tools.ts';
import { planHere, planText, type ExecutionPlan } from './execution-plan.ts';

/** Of large tables an index takes minutes; the unit waits for a start of a quarter of an hour. */
const MIGRATION_TIMEOUT_MS = 600_000;

/** The models and who else writes scene texts. */
export interface Models extends AsyncDisposable {
  readonly chain: ModelChain;
  readonly describer: SceneDescriber | null;
  /** How the models run, and what they are to be fed with. */
  readonly plan: ExecutionPlan;
}

/** What a job needs beside the store: opened together, closed together. */
export interface Parts extends Models {
  readonly tools: FfmpegTools;
  readonly database: Database;
}

export interface OpenModelsOptions {
  /** What the preflight resolved, so that `auto` is decided once. */
  readonly device: 'cpu' | 'cuda';
  /** That share the host. */
  readonly videosAtOnce: number;
  /** In place of what the configuration asks for. */
  readonly plan?: ExecutionPlan;
  readonly logger: Logger;
  /** As for the chain. */
  readonly exactBatches?: boolean;
  /** The files were hashed a moment ago, by the preflight: several gigabytes are not read twice. */
  readonly isVerified?: boolean;
  readonly signal?: AbortSignal;
}

/** `onlyLooks`: for a command that makes and changes nothing. */
export async function openConfiguredDatabase(config: Config<'database'>, onlyLooks = false): Promise<Database> {
  const { url, schema, poolSize } = config.database;
  // An analysis without a database does without its packages, too.
  const { openDatabase } = await import('../persistence/client.ts');
  return await openDatabase({ url, schema, poolSize, onlyLooks });
}

/**
 * Opens ffmpeg, the database (migrated where the configuration asks for it) and the models, in this order; they close in
 * the reverse one. An opening that fails closes what was opened before it.
 */
export async function openParts(config: Config<'database' | 'models'>, options: OpenModelsOptions): Promise<Parts> {
  await using opening = new ClosingStack();
  const tools = await openConfiguredTools(config, options.logger, options.signal);
  const database = opening.add(await openConfiguredDatabase(config), (opened) => opened.close());
  if (config.database.migrateOnStart) {
    const { migrateDatabase } = await import('../persistence/migrate.ts');
    const limit = AbortSignal.timeout(MIGRATION_TIMEOUT_MS);
    const applied = await migrateDatabase(
      database,
      options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]),
    );
    if (applied.length > 0) options.logger.info({ applied }, 'database migrated');
  }
  const models = opening.add(await openModels(config, options), (opened) => opened[Symbol.asyncDispose]());
  return closedWith(opening.move(), { ...models, tools, database });
}

/** The models alone, for an analysis without a database. */
export async function openModels(config: Config<'models'>, options: OpenModelsOptions): Promise<Models> {
  await using opening = new ClosingStack();
  const describer = opening.add(await createDescriber(config), (opened) => opened?.close());
  const pack = await loadPack(config.inference.modelPack);
  const plan = options.plan ?? planHere(config, pack, options);
  options.logger.info({ plan }, planText(options.device, plan));
  const chain = opening.add(await openChain(config, pack, plan, options), (opened) => opened.close());
  return closedWith(opening.move(), { chain, describer, plan });
}

function closedWith<T extends object>(opened: ClosingStack, parts: T): T & AsyncDisposable {
  return { ...parts, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

async function openChain(
  config: Config<'models'>,
  pack: Pack,
  plan: ExecutionPlan,
  { device, logger, isVerified = false, exactBatches = false, signal }: OpenModelsOptions,
): Promise<ModelChain> {
  const { pipelines, threads, detectionBatch, peopleBatch, languageBatch } = plan;
  return await createModelChain({
    pack,
    device,
    deviceId: config.inference.gpuDeviceId,
    pipelines,
    threads: { vision: threads, language: threads },
    batch: { detection: detectionBatch, people: peopleBatch, language: languageBatch },
    exactBatches,
    localScenes: config.scene.source === 'local',
    verifyHashes: !isVerified,
    logger,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function createDescriber(config: Config): Promise<BedrockDescriber | null> {
  const { scene, aws } = config;
  if (scene.source !== 'bedrock') return null;
  const { createBedrockDescriber, DEFAULT_BEDROCK_SETTINGS } = await import('../scene/bedrock.ts');
  return createBedrockDescriber({
    ...DEFAULT_BEDROCK_SETTINGS,
    region: scene.bedrockRegion ?? aws.region,
    modelId: scene.bedrockModelId,
    endpoint: scene.bedrockEndpointUrl,
    maxCallsPerVideo: scene.bedrockMaxCallsPerVideo,
  });
}
