import { paddedCount } from '../../inference/batch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import { specOf } from '../../packs/spec-of.ts';
import { floatTensor } from '../../inference/tensor.ts';
import { decodeDetections } from '../../vision/decode-detections.ts';
import { wholeArea } from '../../vision/picture-area.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';
import { anchorDetections } from './anchor-detections.ts';
import { pictureTensors } from '../picture-tensor.ts';
import { readOutput } from '../read-output.ts';
import type { Stage, StageOptions } from '../stage.ts';

/**
 * Adapter `yolov8`: letterbox and scale to 0..1, run, decode [4 + classes, anchors] with per-class suppression, and map the boxes
 * back to source pixels. Sizes are read from the manifest's tensors.
 */
export async function openYolov8(pack: Pack, options: StageOptions): Promise<Stage<Picture, readonly Detection[]>> {
  const detection = specOf(pack.manifest, 'detection', 'yolov8');
  const model = await openBatchModel(
    packGraph(pack, { field: 'detection.model', spec: detection.model }),
    options.target,
  );
  const { input, out, height, width } = pictureTensors(detection.model);
  const planes = options.kernel.planes({ width, height });
  planes.reserve(options.limit);

  const run = async (frames: readonly Picture[]): Promise<readonly (readonly Detection[])[]> => {
    const rows = paddedCount(frames.length, options.padTo);
    planes.reserve(rows);
    frames.forEach((frame, i) => planes.letterbox(i, wholeArea(frame), detection.letterboxFill));
    const tensor = floatTensor(model.inputType(input.name), planes.view(rows), [rows, 3, height, width]);
    const columns = 4 + detection.classes.length;
    const outputs = await model.run(rows, { [input.name]: tensor }, options.meter);
    const { values, dims } = readOutput(model, outputs, out.name, [rows, columns, 'anchors']);
    const anchors = dims[2] ?? 0;
    return frames.map((frame, i) => {
      const raw = values.subarray(i * columns * anchors, (i + 1) * columns * anchors);
      const { confidence, iou, maxDetections, classes } = detection;
      const found = decodeDetections(raw, { anchors, classes: classes.length, confidence, iou, maxDetections });
      return anchorDetections(found, frame, { classes, width, height });
    });
  };
  return { run, releaseAbove: model.releaseAbove, release: model.release };
}
