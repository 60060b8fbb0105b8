import { Failure } from '../failure/failure.ts';
import { output, type Model } from '../inference/model.ts';
import { assertFinite, readFloats, type Tensor } from '../inference/tensor.ts';

interface OutputValues {
  readonly values: Float32Array;
  readonly dims: readonly number[];
}

/**
 * The numbers of a run's output. `shape` is what it must be: a number for a size, a word for one that the graph chooses.
 * Throws PACK_BROKEN for another shape, INFERENCE_FAILED where a number is NaN or infinite.
 */
export function readOutput(
  model: Pick<Model, 'spec'>,
  outputs: Readonly<Record<string, Tensor>>,
  name: string,
  shape: readonly (number | string)[],
): OutputValues {
  const tensor = output(outputs, name, model);
  const { dims } = tensor;
  const what = `${model.spec.file.path} output ${name}`;
  if (dims.length !== shape.length || shape.some((size, axis) => typeof size === 'number' && size !== dims[axis])) {
    throw new Failure('PACK_BROKEN', `${what} is [${dims.join(', ')}], expected [${shape.join(', ')}]`);
  }
  const values = readFloats(tensor);
  assertFinite(values, what);
  return { values, dims };
}
