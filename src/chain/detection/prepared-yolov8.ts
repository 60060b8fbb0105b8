import { Tensor } from '../../inference/tensor.ts';
import { Failure } from '../../failure/failure.ts';
import { ANCHORS_OUTPUT } from '../../graphs/prepare/prepared-inputs.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import { output } from '../../inference/model.ts';
import type { ComposedSpec } from '../../packs/pack-manifest.ts';
import { specOf } from '../../packs/spec-of.ts';
import { decodeCandidates } from '../../vision/decode-detections.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';
import { anchorDetections } from './anchor-detections.ts';
import { pictureTensors } from '../picture-tensor.ts';
import { preparedFrames } from './prepared-frames.ts';
import type { Stage, StageOptions } from '../stage.ts';

/**
 * The prepared graph of adapter `yolov8` (`src/graphs/prepare/yolov8-graph.ts`): raw frames in, the anchors above the threshold out, which
 * are suppressed here. The same detections as the plain stage.
 */
export async function openPreparedYolov8(
  pack: Pack,
  spec: ComposedSpec,
  options: StageOptions,
): Promise<Stage<Picture, readonly Detection[]>> {
  const detection = specOf(pack.manifest, 'detection', 'yolov8');
  const { height, width } = pictureTensors(detection.model);
  const model = await openBatchModel(packGraph(pack, { field: 'prepared.detection', spec }), options.target);
  const columns = 4 + detection.classes.length;
  const { classes, confidence, iou, maxDetections } = detection;
  const settings = { classes: classes.length, confidence, iou, maxDetections };
  return preparedFrames(
    {
      model,
      target: { width, height, fill: detection.letterboxFill },
      settings: { confidence: new Tensor('float32', [confidence], [1]) },
      read: (outputs, frames) => {
        const candidates = output(outputs, ANCHORS_OUTPUT.candidates, model).data as Float32Array;
        const places = output(outputs, ANCHORS_OUTPUT.places, model).data as Int32Array;
        let next = 0;
        return frames.map((frame, i) => {
          // Frames come in order, and those that a batch was filled up with come last.
          const first = next;
          while (places[next * 2] === i) next++;
          const rows = candidates.subarray(first * columns, next * columns);
          if (!rows.every(Number.isFinite)) {
            throw new Failure(
              'INFERENCE_FAILED',
              `${detection.model.file.path} gave NaN or an infinite value for a frame; expected finite numbers`,
            );
          }
          const found = decodeCandidates(rows, (row) => places[(first + row) * 2 + 1] ?? 0, settings);
          return anchorDetections(found, frame, { classes, width, height });
        });
      },
    },
    options,
  );
}
