import { Tensor } from '../../inference/tensor.ts';
import { Failure } from '../../failure/failure.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import { output } from '../../inference/model.ts';
import type { ComposedSpec, PackManifest } from '../../packs/pack-manifest.ts';
import { specOf } from '../../packs/spec-of.ts';
import { sourceMapping } from '../../vision/letterbox.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';
import { pictureTensors } from '../picture-tensor.ts';
import { preparedFrames } from './prepared-frames.ts';
import type { Stage, StageOptions } from '../stage.ts';

/**
 * The prepared graph of adapter `yolov8` (`src/graphs/prepare/yolov8-graph.ts`): raw frames in, boxes in source pixels
 * out. The same detections as the plain stage.
 */
export async function openPreparedYolov8(
  pack: Pack,
  spec: ComposedSpec,
  options: StageOptions,
): Promise<Stage<Picture, readonly Detection[]>> {
  const detection = specOf(pack.manifest, 'detection', 'yolov8');
  const { height, width } = pictureTensors(detection.model);
  const model = await openBatchModel(packGraph(pack, { field: 'prepared.detection', spec }), options.target);
  const settings = {
    confidence: new Tensor('float32', [detection.confidence], [1]),
    iou: new Tensor('float32', [detection.iou], [1]),
    max_detections: new Tensor('int64', BigInt64Array.of(BigInt(detection.maxDetections)), [1]),
  };
  return preparedFrames(
    {
      model,
      target: { width, height, fill: detection.letterboxFill },
      inputsFor: (frame) => ({
        to_source: toSource(frame, width, height),
        ...settings,
      }),
      read: (outputs, frames) => {
        const read = (name: string): ArrayLike<number | bigint> =>
          output(outputs, name, model).data as ArrayLike<number | bigint>;
        const finite = read('finite');
        if (frames.some((_, i) => finite[i] !== 0)) {
          throw new Failure(
            'INFERENCE_FAILED',
            `${detection.model.file.path} gave NaN or an infinite value for a frame; expected finite numbers`,
          );
        }
        const found = { boxes: read('boxes'), scores: read('scores'), places: read('places') };
        return readDetections(found, frames.length, detection);
      },
    },
    options,
  );
}

/** float64 [3, 4]: pads, gain and limits of x1, y1, x2, y2. */
function toSource(frame: Picture, targetWidth: number, targetHeight: number): Tensor {
  const { width, height } = frame;
  const { padX, padY, gain } = sourceMapping(width, height, targetWidth, targetHeight);
  const data = [padX, padY, padX, padY, gain, gain, gain, gain, width, height, width, height];
  return new Tensor('float64', Float64Array.from(data), [3, 4]);
}

interface Found {
  readonly boxes: ArrayLike<number | bigint>;
  readonly scores: ArrayLike<number | bigint>;
  readonly places: ArrayLike<number | bigint>;
}

/** Per frame by descending score, equal ones in anchor order, cut to the most over all classes. */
function readDetections(
  found: Found,
  frames: number,
  spec: Pick<PackManifest['detection'], 'maxDetections'> & { readonly classes: readonly Detection['class'][] },
): readonly (readonly Detection[])[] {
  const rows = Array.from({ length: found.scores.length }, (_, row) => {
    const [frame, classIndex, anchor] = numbers(found.places, row * 3, 3) as [number, number, number];
    const [x1, y1, x2, y2] = numbers(found.boxes, row * 4, 4) as [number, number, number, number];
    return { frame, classIndex, anchor, score: Number(found.scores[row]), box: { x1, y1, x2, y2 } };
  });
  rows.sort((a, b) => b.score - a.score || a.anchor - b.anchor);
  return Array.from({ length: frames }, (_, i) =>
    rows
      .filter(({ frame }) => frame === i)
      .slice(0, spec.maxDetections)
      .map(({ classIndex, box, score }) => ({ class: spec.classes[classIndex] ?? 'person', box, score })),
  );
}

function numbers(data: ArrayLike<number | bigint>, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number(data[from + i]));
}
