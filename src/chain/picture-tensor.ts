import { Failure } from '../failure/failure.ts';
import type { ModelSpec, TensorSpec } from '../packs/pack-manifest.ts';

interface PictureTensors {
  readonly input: TensorSpec;
  readonly out: TensorSpec;
  readonly height: number;
  readonly width: number;
}

/** The tensors of a model that takes one RGB picture per row; throws PACK_BROKEN unless they are [batch, 3, height, width]. */
export function pictureTensors(spec: ModelSpec): PictureTensors {
  const [input] = spec.inputs;
  const [out] = spec.outputs;
  const [, channels, height, width] = input?.shape ?? [];
  if (
    input === undefined ||
    out === undefined ||
    channels !== 3 ||
    typeof height !== 'number' ||
    typeof width !== 'number'
  ) {
    throw new Failure('PACK_BROKEN', `${spec.file.path}: the input must be [batch, 3, height, width] with fixed sizes`);
  }
  return { input, out, height, width };
}
