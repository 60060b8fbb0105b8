import { paddedCount } from '../../inference/batch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import { specOf } from '../../packs/spec-of.ts';
import { floatTensor } from '../../inference/tensor.ts';
import { wholeArea } from '../../vision/picture-area.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';
import { detrQueries } from './detr-queries.ts';
import { pictureTensors } from '../picture-tensor.ts';
import type { Stage, StageOptions } from '../stage.ts';

/**
 * Adapter `detr`: stretch or letterbox, normalise by the manifest's mean and standard deviation, run, and read the queries.
 */
export async function openDetr(pack: Pack, options: StageOptions): Promise<Stage<Picture, readonly Detection[]>> {
  const detection = specOf(pack.manifest, 'detection', 'detr');
  const { mean, std, letterboxFill } = detection;
  const model = await openBatchModel(
    packGraph(pack, { field: 'detection.model', spec: detection.model }),
    options.target,
  );
  const { input, height, width } = pictureTensors(detection.model);
  const planes = options.kernel.planes({ width, height }, { mean, std });
  planes.reserve(options.limit);
  const read = detrQueries(detection, model);
  const fit = (frame: Picture, place: number): void => {
    if (letterboxFill === null) planes.stretch(place, wholeArea(frame));
    else planes.letterbox(place, wholeArea(frame), letterboxFill);
  };

  const run = async (frames: readonly Picture[]): Promise<readonly (readonly Detection[])[]> => {
    const rows = paddedCount(frames.length, options.padTo);
    planes.reserve(rows);
    frames.forEach(fit);
    const tensor = floatTensor(model.inputType(input.name), planes.view(rows), [rows, 3, height, width]);
    return read(await model.run(rows, { [input.name]: tensor }, options.meter), frames, rows);
  };
  return { run, releaseAbove: model.releaseAbove, release: model.release };
}
