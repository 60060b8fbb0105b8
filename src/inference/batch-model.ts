import type { InferenceSession } from 'onnxruntime-node';
import { Failure } from '../failure/failure.ts';
import { isOutOfMemory } from './batch.ts';
import { describeSession, runSession, type Graph, type Model } from './model.ts';
import type { ExecutionTarget } from './providers.ts';

/** A graph that runs in batches and has convolutions. */
export interface BatchModel extends Omit<Model, 'run'> {
  /**
   * As `Model.run`. `rows` is the batch size that the graph's convolutions see, in whatever tensors of `feeds` it stands: runs of
   * one `rows` must not differ in it. All their other axes are fixed by the graph.
   */
  readonly run: (rows: number, ...run: Parameters<Model['run']>) => ReturnType<Model['run']>;
  /** Gives back the sessions of larger batch sizes. Not to be called while one of them runs. */
  readonly releaseAbove: (rows: number) => Promise<void>;
}

/**
 * Opens a graph; on CUDA once more for every batch size that it meets.
 *
 * ONNX Runtime's CUDA convolution keeps cuDNN's plan of the last shape only (`Conv::UpdateState`): a session that runs a batch of
 * four after one of eight plans every convolution anew, however often it has seen both. Planning happens on the processor, while
 * the GPU idles, and takes seconds: a chain that padded its batches to four sizes and had warmed each of them ran at one frame a
 * second. A session for each size never plans again after its first run. What it costs is GPU memory: each size has its own
 * weights, arena and workspaces.
 *
 * A run rejects with CUDA_OUT_OF_MEMORY where the GPU has no memory for a further size; the session of a size that has never run gives
 * back what it took.
 */
export async function openBatchModel(
  graph: Graph,
  target: ExecutionTarget,
  sessionPerSize = target.device === 'cuda',
): Promise<BatchModel> {
  const { spec } = graph;
  const first = await graph.open(target);
  const sessions = new Map<number, Promise<InferenceSession>>();
  const proven = new Set<number>();
  let unused: InferenceSession | null = first;
  let released = false;

  const openNext = (): Promise<InferenceSession> => {
    const ready = unused;
    unused = null;
    return ready === null ? graph.open(target) : Promise.resolve(ready);
  };
  const sessionFor = async (size: number): Promise<InferenceSession> => {
    if (released) throw new Failure('INFERENCE_FAILED', `${spec.file.path} was released`);
    const known = sessions.get(size);
    if (known !== undefined) return known;
    const opening = openNext();
    sessions.set(size, opening);
    // There may be memory for it later.
    opening.catch(() => sessions.delete(size));
    return opening;
  };
  const run: BatchModel['run'] = async (rows, feeds, meter) => {
    const size = sessionPerSize ? rows : 0;
    const session = await sessionFor(size);
    try {
      const outputs = await runSession({ session, spec, target }, feeds, meter);
      proven.add(size);
      return outputs;
    } catch (error) {
      if (sessionPerSize && isOutOfMemory(error) && !proven.has(size) && sessions.delete(size)) await session.release();
      throw error;
    }
  };
  const releaseAbove = async (rows: number): Promise<void> => {
    for (const [size, session] of [...sessions].filter(([known]) => known > rows)) {
      // `release` may have come between.
      if (!sessions.delete(size)) continue;
      proven.delete(size);
      await (await session).release();
    }
  };
  const release = async (): Promise<void> => {
    released = true;
    const open = [...sessions.values(), ...(unused === null ? [] : [Promise.resolve(unused)])];
    sessions.clear();
    unused = null;
    for (const session of await Promise.allSettled(open)) {
      if (session.status === 'fulfilled') await session.value.release();
    }
  };
  return { ...describeSession(spec, target, first), run, releaseAbove, release };
}
