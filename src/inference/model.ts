import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { Failure } from '../failure/failure.ts';
import { nameMissingLibraries } from './cuda-libraries.ts';
import { classifyOrtError } from '../failure/sources/onnxruntime.ts';
import type { ExecutionTarget } from './providers.ts';
import type { StageMeter } from './stage-meter.ts';
import { readableByBinding } from './tensor.ts';

interface NamedTensor {
  readonly name: string;
  /** A number is a fixed size, a string the name of a dynamic axis. */
  readonly shape: readonly (number | string)[];
}

/** What the owner of a graph says of it. */
interface GraphSpec {
  /** The name that messages give it. */
  readonly file: { readonly path: string };
  readonly inputs: readonly NamedTensor[];
  readonly outputs: readonly NamedTensor[];
}

/** A graph that can be opened, as often as there are sessions to hold it. */
export interface Graph {
  readonly spec: GraphSpec;
  /** Rejects where the file is not the graph that its owner says. */
  readonly open: (target: ExecutionTarget) => Promise<InferenceSession>;
}

/** An opened graph. */
export interface Model {
  readonly spec: GraphSpec;
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

/** Opens a graph. */
export async function openModel(graph: Graph, target: ExecutionTarget): Promise<Model> {
  const { spec } = graph;
  const session = await graph.open(target);
  return {
    ...describeSession(spec, target, session),
    run: (feeds, meter) => runSession({ session, spec, target }, feeds, meter),
    release: () => session.release(),
  };
}

/** What is known of a graph once it is open. */
export function describeSession(
  spec: GraphSpec,
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
  open: { readonly session: InferenceSession; readonly spec: GraphSpec; readonly target: ExecutionTarget },
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
