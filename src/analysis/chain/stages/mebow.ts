import { Failure } from '../../../failure.ts';
import { paddedCount } from '../../../inference/batch.ts';
import type { Pack } from '../../../inference/load-pack.ts';
import { openModel, output } from '../../../inference/model.ts';
import { assertFinite, floatTensor, readFloats } from '../../../inference/tensor.ts';
import type { Box } from '../../../vision/box.ts';
import { orientationCrop, readAngle } from '../../../vision/temporary-pixels.ts';
import type { Picture } from '../../../vision/picture.ts';
import { writePlanes } from '../../../vision/temporary-pixels.ts';
import type { Orientation } from '../../model-chain.ts';
import type { Stage, StageOptions } from './stage.ts';

export interface OrientationItem {
  readonly frame: Picture;
  readonly box: Box;
}

/** Adapter `mebow`: cut the person by the manifest's rule, normalise, run, and read the strongest bin of the circle. */
export async function openMebow(pack: Pack, options: StageOptions): Promise<Stage<OrientationItem, Orientation>> {
  const { orientation } = pack.manifest;
  const model = await openModel(pack, { field: 'orientation.model', spec: orientation.model }, options.target);
  const [input] = orientation.model.inputs;
  const [out] = orientation.model.outputs;
  const [, channels, height, width] = input?.shape ?? [];
  if (
    input === undefined ||
    out === undefined ||
    channels !== 3 ||
    typeof height !== 'number' ||
    typeof width !== 'number'
  ) {
    throw new Failure(
      'PACK_BROKEN',
      `${orientation.model.file.path}: the input must be [batch, 3, height, width] with fixed sizes`,
    );
  }
  const { bins, scale, mean, std } = orientation;
  const size = 3 * height * width;

  const run = async (items: readonly OrientationItem[]): Promise<readonly Orientation[]> => {
    const rows = paddedCount(items.length, options.padding);
    const pixels = new Float32Array(rows * size);
    items.forEach(({ frame, box }, i) => {
      const picture = orientationCrop(frame, box, { width, height, scale });
      writePlanes(picture, pixels, i * size, { mean, std });
    });
    const tensor = floatTensor(model.inputType(input.name), pixels, [rows, 3, height, width]);
    const result = output(await model.run({ [input.name]: tensor }, options.meter), out.name, model);
    if (result.dims[1] !== bins) {
      throw new Failure(
        'PACK_BROKEN',
        `${orientation.model.file.path}: ${out.name} has ${result.dims[1]} bins, the manifest says ${bins}`,
      );
    }
    const values = readFloats(result);
    assertFinite(values, `${orientation.model.file.path} output ${out.name}`);
    return items.map((_, i) => readAngle(values.subarray(i * bins, (i + 1) * bins)));
  };
  return { run, release: model.release };
}
