import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import type { ComposedSpec } from '../../packs/pack-manifest.ts';
import { specOf } from '../../packs/spec-of.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';
import { detrQueries } from './detr-queries.ts';
import { pictureTensors } from '../picture-tensor.ts';
import { preparedFrames } from './prepared-frames.ts';
import type { Stage, StageOptions } from '../stage.ts';

/**
 * The prepared graph of adapter `detr` (`src/graphs/prepare/detr-graph.ts`): raw frames in, the model's queries out. The
 * same detections as the plain stage.
 */
export async function openPreparedDetr(
  pack: Pack,
  spec: ComposedSpec,
  options: StageOptions,
): Promise<Stage<Picture, readonly Detection[]>> {
  const detection = specOf(pack.manifest, 'detection', 'detr');
  const { height, width } = pictureTensors(detection.model);
  const model = await openBatchModel(packGraph(pack, { field: 'prepared.detection', spec }), options.target);
  return preparedFrames(
    {
      model,
      target: { width, height, fill: detection.letterboxFill },
      read: detrQueries(detection, model),
    },
    options,
  );
}
