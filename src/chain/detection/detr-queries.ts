import type { Tensor } from '../../inference/tensor.ts';
import type { BatchModel } from '../../inference/batch-model.ts';
import type { DetrSpec } from '../../packs/pack-manifest.ts';
import type { Box } from '../../vision/box.ts';
import { decodeQueries, type QuerySettings } from '../../vision/decode-queries.ts';
import { fromLetterbox } from '../../vision/letterbox.ts';
import type { Picture } from '../../vision/picture.ts';
import type { Detection } from '../model-chain.ts';
import { pictureTensors } from '../picture-tensor.ts';
import { readOutput } from '../read-output.ts';

type ReadQueries = (
  outputs: Readonly<Record<string, Tensor>>,
  frames: readonly Picture[],
  rows: number,
) => readonly (readonly Detection[])[];

/**
 * Reads `logits` [rows, queries, columns] and `pred_boxes` [rows, queries, 4] (cx, cy, w, h as shares of the input) of a run on
 * the frames: boxes in source pixels, by descending score. The outputs are found by these names, as exporters of such
 * models give them; no suppression follows.
 */
export function detrQueries(detection: DetrSpec, model: BatchModel): ReadQueries {
  const settings = querySettings(detection);
  const { height, width } = pictureTensors(detection.model);
  const toSource = (box: Box, frame: Picture): Box =>
    detection.letterboxFill === null
      ? clipped(scaled(box, frame.width, frame.height), frame)
      : fromLetterbox(scaled(box, width, height), frame.width, frame.height, width, height);
  return (outputs, frames, rows) => {
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
