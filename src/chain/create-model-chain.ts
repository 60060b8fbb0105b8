import { isOutOfMemory } from '../inference/batch.ts';
import { Failure } from '../failure/failure.ts';
import type { Pack } from '../packs/load-pack.ts';
import { ThreadClient, threadEntry } from '../inference/thread/thread-client.ts';
import { assertPack } from '../packs/verify-pack.ts';
import { lowerBatches, lowerBatchesText } from './lower-batches.ts';
import type { ChainDescription, ModelChain } from './model-chain.ts';
import type { BatchLimits } from './stage.ts';
import { stagesOf, type ModelThread } from './stage-threads.ts';
import { threadedChain, type Pipeline } from './threaded-chain.ts';
import type { LanguageMethods, ThreadOptions, VisionMethods } from './threads.ts';

interface ModelChainOptions {
  readonly pack: Pack;
  readonly device: 'cpu' | 'cuda';
  /** CUDA device number, 0 by default. */
  readonly deviceId?: number;
  /** Sets of model threads, 1 by default: each opens every model once more, and calls go to the least busy ones. */
  readonly pipelines?: number;
  /** Threads inside one operator on the CPU, for each of the model threads; 0: every core. */
  readonly threads: { readonly vision: number; readonly language: number };
  /** They become smaller, with a warning, where the GPU has no memory for them, at the start or in a job. */
  readonly batch: BatchLimits;
  /** Batches are to stay what they are: where the GPU has no memory for them, that is a failure. */
  readonly exactBatches?: boolean;
  /** Whether `scene` is asked: the vision-language model is then open for it, whatever else needs it. */
  readonly localScenes: boolean;
  /**
   * Fill batches up to a few sizes and warm each; default: on CUDA only. Without it CUDA opens a session, and plans its
   * convolutions within a job, for every batch size that it meets.
   */
  readonly padBatches?: boolean;
  /**
   * A thread of their own for the models of people; default: on CUDA only. There a thread waits for the GPU for as long as a run takes, and
   * two keep it busy; on the CPU further pipelines fill the cores.
   */
  readonly peopleApart?: boolean;
  /** Compare the sha256 of every file before loading; default true. */
  readonly verifyHashes?: boolean;
  readonly logger?: Readonly<Record<'info' | 'warn', (fields: object, text: string) => void>>;
  /** Gives the start up; what was started is closed. */
  readonly signal?: AbortSignal;
}

/**
 * Verifies the pack, opens and warms its models in their threads, and resolves when all are ready to run.
 * Rejects with PACK_BROKEN, a CUDA failure or INFERENCE_THREAD_DIED; nothing is left running then.
 */
export async function createModelChain(options: ModelChainOptions): Promise<ModelChain> {
  const { pack, device, logger } = options;
  const started = performance.now();
  await assertPack(pack, { hash: options.verifyHashes ?? true, graphs: false });
  const { filePath: _paths, ...read } = pack;
  const threadOptions = (threads: number, batch: BatchLimits): OptionsOfAll => ({
    pack: read,
    target: { device, threads, ...(options.deviceId === undefined ? {} : { deviceId: options.deviceId }) },
    padding: options.padBatches ?? device === 'cuda',
    batch,
  });
  const onLowered = (from: BatchLimits, to: BatchLimits): void =>
    logger?.warn({ pack: pack.manifest.name, device, batch: to }, lowerBatchesText(from, to));
  const start = (batch: BatchLimits): Promise<[Pipeline, ...Pipeline[]]> =>
    startPipelines(options.pipelines ?? 1, {
      vision: threadOptions(options.threads.vision, batch),
      language: threadOptions(options.threads.language, batch),
      peopleApart: options.peopleApart ?? device === 'cuda',
      localScenes: options.localScenes,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  const isExact = options.exactBatches ?? false;
  const { batch, opened: pipelines } = isExact
    ? { batch: options.batch, opened: await start(options.batch) }
    : await startFitting(options.batch, start, onLowered);
  logger?.info(
    {
      pack: pack.manifest.name,
      device,
      pipelines: pipelines.length,
      milliseconds: Math.round(performance.now() - started),
    },
    'the models are loaded and warm',
  );
  const description: ChainDescription = {
    packName: pack.manifest.name,
    packFingerprint: pack.fingerprint,
    device,
    vocabulary: pack.manifest.action.labels,
  };
  const chain = threadedChain(description, pipelines, isExact ? null : { batch, onLowered });
  return options.localScenes ? chain : { ...chain, scene: refuseScene };
}

async function refuseScene(): Promise<never> {
  throw new Failure('SCENE_FAILED', 'the model chain was opened without local scene texts');
}

/** What the threads of a kind are started with, whichever of them. */
type OptionsOfAll = Omit<ThreadOptions, 'stages' | 'inVain'>;

interface PipelineStart {
  readonly vision: OptionsOfAll;
  readonly language: OptionsOfAll;
  readonly peopleApart: boolean;
  readonly localScenes: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Starts with smaller batches where the GPU has no memory for all sizes of all models. All of it begins anew: which thread lacks memory is
 * chance, and a size that is left out here could be one that all would have had with a smaller batch of people.
 */
async function startFitting<Opened>(
  wanted: BatchLimits,
  start: (batch: BatchLimits) => Promise<Opened>,
  onLowered: (from: BatchLimits, to: BatchLimits) => void,
): Promise<{ readonly batch: BatchLimits; readonly opened: Opened }> {
  for (let batch = wanted; ;) {
    try {
      return { batch, opened: await start(batch) };
    } catch (error) {
      const lower = isOutOfMemory(error) ? lowerBatches(batch) : null;
      if (lower === null) throw error;
      onLowered(batch, lower);
      batch = lower;
    }
  }
}

/** All threads, or none: when one fails, the others are closed before the failure is reported. */
async function startPipelines(count: number, start: PipelineStart): Promise<[Pipeline, ...Pipeline[]]> {
  const inVain = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const starting = Array.from({ length: Math.max(1, count) }, () => startThreads(start, inVain));
  const threads = starting.flatMap((set) => Object.values(set));
  const withoutMemory: unknown[] = [];
  for (const thread of threads) {
    thread.catch((error: unknown) => {
      if (!isOutOfMemory(error)) return;
      withoutMemory.push(error);
      // They end by themselves: a thread that is ended within a run that fails ends the process.
      Atomics.store(inVain, 0, 1);
    });
  }
  const settled = await Promise.allSettled(threads);
  const failed = settled.filter((thread) => thread.status === 'rejected');
  if (failed.length > 0) {
    await Promise.all(settled.map(async (thread) => thread.status === 'fulfilled' && (await thread.value.close())));
    const reasons: readonly unknown[] = failed.map(({ reason }) => reason as unknown);
    // Smaller batches mend nothing else; of those without memory the first knows what for. On a GPU that has none left another thread's
    // library may say no more than that it failed.
    throw reasons.find((reason) => !isOutOfMemory(reason) && !isCudaError(reason)) ?? withoutMemory[0] ?? reasons[0];
  }
  const open = starting.map(async ({ frames, people, language }): Promise<Pipeline> => {
    return { frames: await frames, people: await people, language: await language };
  });
  return (await Promise.all(open)) as [Pipeline, ...Pipeline[]];
}

function isCudaError(error: unknown): boolean {
  return error instanceof Failure && error.code === 'CUDA_ERROR';
}

function startThreads({ vision, language, peopleApart, localScenes, signal }: PipelineStart, inVain: Int32Array) {
  const startVision = (name: string, ...kinds: readonly ModelThread[]): Promise<ThreadClient<VisionMethods>> => {
    const options: ThreadOptions = { ...vision, inVain, stages: stagesOf(kinds) };
    return ThreadClient.start(name, threadEntry(import.meta.url, './vision-thread'), options, signal);
  };
  const read = stagesOf(['language']).filter((stage) => localScenes || stage !== 'scene');
  const frames = peopleApart ? startVision('detection', 'frames') : startVision('vision', 'frames', 'people');
  return {
    frames,
    people: peopleApart ? startVision('people', 'people') : frames,
    language: ThreadClient.start<LanguageMethods>(
      'language',
      threadEntry(import.meta.url, './language-thread'),
      { ...language, inVain, stages: read } satisfies ThreadOptions,
      signal,
    ),
  };
}
