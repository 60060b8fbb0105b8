import type { InferenceSession } from 'onnxruntime-node';
import type { NamedModel, Pack } from './load-pack.ts';
import { describeSession, openChecked, runSession, type Model } from './model.ts';
import type { ExecutionTarget } from './providers.ts';

/** A graph of the pack that runs in batches and has convolutions. */
export interface BatchModel extends Omit<Model, 'run'> {
  /** As `Model.run`; `rows` is the size of the batch, in whatever tensors of `feeds` it stands. */
  readonly run: (rows: number, ...run: Parameters<Model['run']>) => ReturnType<Model['run']>;
}

/**
 * Opens a graph; on CUDA once more for every batch size that it meets.
 *
 * ONNX Runtime's CUDA convolution keeps cuDNN's plan of the last shape only (`Conv::UpdateState`): a session that runs a batch of
 * four after one of eight plans every convolution anew, however often it has seen both. Planning happens on the processor, while
 * the GPU idles, and takes seconds: a chain that filled batches as they came ran at one frame a second. A session for each size
 * never plans again after its first run. What it costs is GPU memory for each size's weights.
 *
 * Throws PACK_BROKEN where the graph's tensors are not those of the manifest; a run rejects with CUDA_OUT_OF_MEMORY where the GPU
 * has no memory for a further size.
 */
export async function openBatchModel(
  pack: Pack,
  model: NamedModel,
  target: ExecutionTarget,
  sessionPerSize = target.device === 'cuda',
): Promise<BatchModel> {
  const first = await openChecked(pack, model, target);
  const sessions = new Map<number, Promise<InferenceSession>>();
  let unused: InferenceSession | null = first;
  const open = (rows: number): Promise<InferenceSession> => {
    const ready = unused;
    unused = null;
    if (ready !== null) return Promise.resolve(ready);
    const opening = openChecked(pack, model, target);
    opening.catch(() => sessions.delete(rows));
    return opening;
  };
  const sessionFor = (rows: number): Promise<InferenceSession> => {
    const key = sessionPerSize ? rows : 0;
    const session = sessions.get(key) ?? open(key);
    sessions.set(key, session);
    return session;
  };
  return {
    ...describeSession(model.spec, target, first),
    run: async (rows, feeds, meter) =>
      runSession(await sessionFor(rows), feeds, meter, {
        device: target.device,
        doing: `running ${model.spec.file.path}`,
      }),
    release: async () => {
      await unused?.release();
      for (const session of sessions.values()) await (await session).release();
    },
  };
}
