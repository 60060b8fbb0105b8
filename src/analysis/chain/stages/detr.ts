import { paddedCount } from '../../../inference/batch.ts';
import { floatScratch } from '../../../inference/float-scratch.ts';
import type { Pack } from '../../../inference/load-pack.ts';
import { openModel } from '../../../inference/model.ts';
import { specOf, type DetrSpec } from '../../../inference/pack-manifest.ts';
import { floatTensor } from '../../../inference/tensor.ts';
import type { Box } from '../../../vision/box.ts';
import { decodeQueries, type QuerySettings } from '../../../vision/decode-queries.ts';
import { fromLetterbox, letterbox } from '../../../vision/letterbox.ts';
import type { Picture } from '../../../vision/picture.ts';
import { writePlanes } from '../../../vision/planes.ts';
import { resizeBilinear } from '../../../vision/resize-bilinear.ts';
import type { Detection } from '../../model-chain.ts';
import { pictureTensors } from './picture-tensor.ts';
import { readOutput } from './read-output.ts';
import type { Stage, StageOptions } from './stage.ts';

/**
 * Adapter `detr`: stretch or letterbox, normalise by the manifest's mean and standard deviation, run, and read `logits`
 * [batch, queries, columns] and `pred_boxes` [batch, queries, 4] (cx, cy, w, h as shares of the input). The outputs are
 * found by these names, as exporters of such models give them; no suppression follows.
 */
export async function openDetr(pack: Pack, options: StageOptions): Promise<Stage<Picture, readonly Detection[]>> {
  const detection = specOf(pack.manifest, 'detection', 'detr');
  const { mean, std, letterboxFill } = detection;
  const settings = querySettings(detection);
  const model = await openModel(pack, { field: 'detection.model', spec: detection.model }, options.target);
  const { input, height, width } = pictureTensors(detection.model);
  const size = 3 * height * width;
  const scratch = floatScratch();
  const fit = (frame: Picture): Picture =>
    letterboxFill === null ? resizeBilinear(frame, width, height) : letterbox(frame, width, height, letterboxFill);
  const toSource = (box: Box, frame: Picture): Box =>
    letterboxFill === null
      ? clipped(scaled(box, frame.width, frame.height), frame)
      : fromLetterbox(scaled(box, width, height), frame.width, frame.height, width, height);

  const run = async (frames: readonly Picture[]): Promise<readonly (readonly Detection[])[]> => {
    const rows = paddedCount(frames.length, options.padding);
    const pixels = scratch(rows * size);
    frames.forEach((frame, i) => writePlanes(fit(frame), pixels, i * size, { mean, std }));
    const tensor = floatTensor(model.inputType(input.name), pixels, [rows, 3, height, width]);
    const outputs = await model.run({ [input.name]: tensor }, options.meter);
    const logits = readOutput(model, outputs, 'logits', [rows, 'queries', settings.columns]);
    const queries = logits.dims[1] ?? 0;
    const boxes = readOutput(model, outputs, 'pred_boxes', [rows, queries, 4]);
    return frames.map((frame, i) => {
      const perFrame = queries * settings.columns;
      const found = decodeQueries(
        logits.values.subarray(i * perFrame, (i + 1) * perFrame),
        boxes.values.subarray(i * queries * 4, (i + 1) * queries * 4),
        { ...settings, queries },
      );
      return found
        .map(({ box, score, classIndex }) => ({
          class: detection.classes[classIndex]?.as ?? 'person',
          box: toSource(box, frame),
          score,
        }))
        .filter(({ box }) => box.x2 > box.x1 && box.y2 > box.y1);
    });
  };
  return { run, release: model.release };
}

function querySettings(detection: DetrSpec): Omit<QuerySettings, 'queries'> {
  const { classes, model, activation, confidence, maxDetections } = detection;
  // The manifest's schema has seen that the logits state their columns and that the classes lie within.
  const columns = Number(model.outputs.find(({ name }) => name === 'logits')?.shape[2]);
  return { columns, classes: classes.map((entry) => entry.columns), activation, confidence, maxDetections };
}

function scaled(box: Box, width: number, height: number): Box {
  return { x1: box.x1 * width, y1: box.y1 * height, x2: box.x2 * width, y2: box.y2 * height };
}

function clipped(box: Box, frame: Picture): Box {
  const x = (value: number): number => Math.min(Math.max(value, 0), frame.width);
  const y = (value: number): number => Math.min(Math.max(value, 0), frame.height);
  return { x1: x(box.x1), y1: y(box.y1), x2: x(box.x2), y2: y(box.y2) };
}
