import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { Failure } from '../failure/failure.ts';
import { compareMetadata } from '../packs/compare-metadata.ts';
import { nameMissingLibraries } from './cuda-libraries.ts';
import type { NamedModel, Pack } from '../packs/load-pack.ts';
import { classifyOrtError } from '../failure/sources/onnxruntime.ts';
import type { ModelSpec } from '../packs/pack-manifest.ts';
import { brokenPack } from '../packs/pack-problem.ts';
import { openSession } from './providers.ts';
import type { ExecutionTarget } from './providers.ts';
import type { StageMeter } from './stage-meter.ts';
import { readableByBinding } from './tensor.ts';

/** An opened graph whose tensors were checked against the manifest. */
export interface Model {
  readonly spec: ModelSpec;
  readonly target: ExecutionTarget;
  /** Element type of an input as the graph states it. */
  readonly inputType: (name: string) => string;
  readonly hasInput: (name: string) => boolean;
  /** Blocks the calling thread for the whole run. Rejects with a classified failure. */
  readonly run: (
    feeds: Readonly<Record<string, Tensor>>,
    meter: StageMeter,
  ) => Promise<Readonly<Record<string, Tensor>>>;
  readonly release: () => Promise<void>;
}

/** Opens a graph of the pack; throws PACK_BROKEN where its tensors are not those of the manifest. */
export async function openModel(pack: Pack, model: NamedModel, target: ExecutionTarget): Promise<Model> {
  const session = await openChecked(pack, model, target);
  const { spec } = model;
  return {
    ...describeSession(spec, target, session),
    run: (feeds, meter) => runSession({ session, spec, target }, feeds, meter),
    release: () => session.release(),
  };
}

/** A session of a graph whose tensors are those of the manifest; throws PACK_BROKEN where they are not. */
export async function openChecked(pack: Pack, model: NamedModel, target: ExecutionTarget): Promise<InferenceSession> {
  const { spec, field } = model;
  const session = await openSession(pack.filePath(spec.file), target);
  const problems = compareMetadata(spec, session);
  if (problems.length === 0) return session;
  await session.release();
  throw brokenPack(pack.manifest.name, problems, { details: { field } });
}

/** What is known of a graph once it is open. */
export function describeSession(
  spec: ModelSpec,
  target: ExecutionTarget,
  session: InferenceSession,
): Omit<Model, 'run' | 'release'> {
  const types = new Map(session.inputMetadata.map((input) => [input.name, input.isTensor ? input.type : 'unknown']));
  return {
    spec,
    target,
    inputType: (name) => types.get(name) ?? 'unknown',
    hasInput: (name) => types.has(name),
  };
}

/** Runs a session, adds its time to the meter and classifies what it throws. */
export async function runSession(
  open: { readonly session: InferenceSession; readonly spec: ModelSpec; readonly target: ExecutionTarget },
  feeds: Readonly<Record<string, Tensor>>,
  meter: StageMeter,
): Promise<Readonly<Record<string, Tensor>>> {
  const started = performance.now();
  try {
    const tensors = Object.entries(feeds).map(([name, tensor]) => [name, readableByBinding(tensor)] as const);
    return await open.session.run(Object.fromEntries(tensors)).finally(() => {
      meter.runs += 1;
      meter.runMs += performance.now() - started;
    });
  } catch (error) {
    const { device } = open.target;
    const failure = classifyOrtError(error, { device, doing: `running ${open.spec.file.path}` });
    // Without cuDNN every session opens, and the first convolution is the first to know.
    throw device === 'cuda' ? await nameMissingLibraries(failure) : failure;
  }
}

/** The named output, which the metadata check has seen in the graph. */
export function output(outputs: Readonly<Record<string, Tensor>>, name: string, model: Pick<Model, 'spec'>): Tensor {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Failure('INFERENCE_FAILED', `${model.spec.file.path} gave no output ${name}`);
  return tensor;
}
