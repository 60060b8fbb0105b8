import { paddedCount } from '../../inference/batch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import { floatTensor } from '../../inference/tensor.ts';
import type { Box } from '../../vision/box.ts';
import type { FloatPlanes } from '../../vision/kernel/float-planes.ts';
import { readAngle } from '../../vision/angle.ts';
import { pixelWindow } from '../../vision/crop.ts';
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
  const planes = options.kernel.planes({ width, height }, { mean, std });
  planes.reserve(options.limit);
  const cut = ({ frame, box }: OrientationItem, place: number): void => {
    if (orientation.crop === 'affine') planes.orientation(place, frame, box, scale);
    else stretchTight(planes, place, frame, box);
  };

  const run = async (items: readonly OrientationItem[]): Promise<readonly Orientation[]> => {
    const rows = paddedCount(items.length, options.padTo);
    planes.reserve(rows);
    items.forEach(cut);
    const tensor = floatTensor(model.inputType(input.name), planes.view(rows), [rows, 3, height, width]);
    const outputs = await model.run(rows, { [input.name]: tensor }, options.meter);
    const { values } = readOutput(model, outputs, out.name, [rows, bins]);
    return items.map((_, i) => readAngle(values.subarray(i * bins, (i + 1) * bins)));
  };
  return { run, releaseAbove: model.releaseAbove, release: model.release };
}

/** The demo code's way: the tight box, stretched to the input's size; a box without a pixel is black. */
function stretchTight(planes: FloatPlanes, place: number, frame: Picture, box: Box): void {
  const window = pixelWindow(frame, box);
  if (window === null) planes.black(place);
  else planes.stretch(place, { frame, window });
}
