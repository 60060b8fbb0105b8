import { paddedCount } from '../../inference/batch.ts';
import { floatScratch } from '../../inference/float-scratch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import { floatTensor } from '../../inference/tensor.ts';
import type { Box } from '../../vision/box.ts';
import { orientationCrop } from '../../vision/warp-affine.ts';
import { readAngle } from '../../vision/angle.ts';
import { crop } from '../../vision/crop.ts';
import { writePlanes } from '../../vision/planes.ts';
import { resizeBilinear } from '../../vision/resize-bilinear.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Orientation } from '../model-chain.ts';
import { pictureTensors } from '../picture-tensor.ts';
import { readOutput } from '../read-output.ts';
import type { Stage, StageOptions } from '../stage.ts';

export interface OrientationItem {
  readonly frame: Picture;
  readonly box: Box;
}

/** Adapter `mebow`: cut the person by the manifest's rule, normalise, run, and read the strongest bin of the circle. */
export async function openMebow(pack: Pack, options: StageOptions): Promise<Stage<OrientationItem, Orientation>> {
  const { orientation } = pack.manifest;
  const model = await openBatchModel(
    packGraph(pack, { field: 'orientation.model', spec: orientation.model }),
    options.target,
  );
  const { input, out, height, width } = pictureTensors(orientation.model);
  const { bins, scale, mean, std } = orientation;
  const cut = orientation.crop === 'affine' ? orientationCrop : resizedCrop;
  const size = 3 * height * width;
  const scratch = floatScratch();

  const run = async (items: readonly OrientationItem[]): Promise<readonly Orientation[]> => {
    const rows = paddedCount(items.length, options.padTo);
    const pixels = scratch(rows * size);
    items.forEach(({ frame, box }, i) => {
      const picture = cut(frame, box, { width, height, scale });
      writePlanes(picture, pixels, i * size, { mean, std });
    });
    const tensor = floatTensor(model.inputType(input.name), pixels, [rows, 3, height, width]);
    const outputs = await model.run(rows, { [input.name]: tensor }, options.meter);
    const { values } = readOutput(model, outputs, out.name, [rows, bins]);
    return items.map((_, i) => readAngle(values.subarray(i * bins, (i + 1) * bins)));
  };
  return { run, release: model.release };
}

/** The demo code's way: the tight box, stretched to the input's size; a box without a pixel is black. */
function resizedCrop(frame: Picture, box: Box, target: { readonly width: number; readonly height: number }): Picture {
  const { width, height } = target;
  const tight = crop(frame, box);
  return tight === null
    ? { width, height, pixels: new Uint8Array(width * height * 3) }
    : resizeBilinear(tight, width, height);
}
