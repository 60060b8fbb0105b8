import { Tensor } from 'onnxruntime-node';
import { Failure } from '../../../failure.ts';
import { paddedCount } from '../../../inference/batch.ts';
import type { Pack } from '../../../inference/load-pack.ts';
import { openModel, output } from '../../../inference/model.ts';
import { specOf, type ComposedSpec, type PackManifest } from '../../../inference/pack-manifest.ts';
import type { Picture } from '../../../vision/picture.ts';
import type { Detection } from '../../model-chain.ts';
import { frameBatch, groupBySize } from './frame-batch.ts';
import { letterboxInputs, type LetterboxInputs } from './letterbox-inputs.ts';
import { pictureTensors } from './picture-tensor.ts';
import type { Stage, StageOptions } from './stage.ts';

/** Source sizes whose letterbox is kept; a worker meets few, but may meet many in its life. */
const MOST_SIZES = 64;

/**
 * The prepared graph of adapter `yolov8` (`src/inference/prepare/detection-graph.ts`): raw frames in, boxes in source pixels
 * out. The same detections as the plain stage, without a pixel touched here.
 */
export async function openPreparedDetection(
  pack: Pack,
  spec: ComposedSpec,
  options: StageOptions,
): Promise<Stage<Picture, readonly Detection[]>> {
  const detection = specOf(pack.manifest, 'detection', 'yolov8');
  const { height, width } = pictureTensors(detection.model);
  const model = await openModel(pack, { field: 'prepared.detection', spec }, options.target);
  const batch = frameBatch();
  const sizes = new Map<string, LetterboxInputs>();
  const settings = {
    confidence: new Tensor('float32', [detection.confidence], [1]),
    iou: new Tensor('float32', [detection.iou], [1]),
    max_detections: new Tensor('int64', BigInt64Array.of(BigInt(detection.maxDetections)), [1]),
  };

  const sizeInputs = (frame: Picture): LetterboxInputs => {
    const key = `${frame.width}x${frame.height}`;
    const known = sizes.get(key);
    if (known !== undefined) return known;
    if (sizes.size >= MOST_SIZES) sizes.clear();
    const inputs = letterboxInputs(frame, { width, height, fill: detection.letterboxFill });
    sizes.set(key, inputs);
    return inputs;
  };

  const runGroup = async (frames: readonly [Picture, ...Picture[]]): Promise<readonly (readonly Detection[])[]> => {
    const rows = paddedCount(frames.length, options.padding);
    const feeds = { frames: batch(frames, rows), ...sizeInputs(frames[0]), ...settings };
    const outputs = await model.run(feeds, options.meter);
    const read = (name: string): ArrayLike<number | bigint> =>
      output(outputs, name, model).data as ArrayLike<number | bigint>;
    const finite = read('finite');
    frames.forEach((_, i) => {
      if (finite[i] === 0) return;
      throw new Failure(
        'INFERENCE_FAILED',
        `${detection.model.file.path} gave NaN or an infinite value for a frame; expected finite numbers`,
      );
    });
    const found = { boxes: read('boxes'), scores: read('scores'), places: read('places') };
    return readDetections(found, frames.length, detection);
  };

  const run = async (frames: readonly Picture[]): Promise<readonly (readonly Detection[])[]> => {
    const results: (readonly Detection[])[] = frames.map(() => []);
    for (const group of groupBySize(frames)) {
      const [first, ...others] = group.flatMap((i) => frames[i] ?? []);
      if (first === undefined) continue;
      const detections = await runGroup([first, ...others]);
      group.forEach((place, i) => (results[place] = detections[i] ?? []));
    }
    return results;
  };
  return { run, release: model.release };
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
