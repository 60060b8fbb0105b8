import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ANCHORS_OUTPUT } from '../../../../src/graphs/prepare/prepared-inputs.ts';
import type { Pack } from '../../../../src/packs/load-pack.ts';
import { preparedGraph } from '../../../../src/packs/prepared-graph.ts';
import { floatTensor } from '../../../../src/inference/tensor.ts';
import { CANDIDATES } from '../../gpu/candidates.ts';

/** The variable with the folder of what copies to the host bring on the stand-ins (`answers.c`); not set where there is a GPU. */
export const ANSWERS_VARIABLE = 'NULL_CUDA_ANSWERS';

/** What a trained detector sees: some anchors of each, on top of each other, and the best of them well above the threshold. */
const ANCHORS_PER_OBJECT = 6;
/** Pixels of the model's picture between objects, which do not overlap. */
const [APART, ROWS] = [120, 5];

/** One anchor above the threshold. */
interface Candidate {
  readonly anchor: number;
  /** cx, cy, w, h and a score per class. */
  readonly numbers: readonly number[];
}

/**
 * Makes the stand-ins answer for the pack's detector with `CANDIDATES` in every frame, in runs of these batch sizes and of one frame. Does nothing without
 * stand-ins, and for a detector that has no anchors or does not tell how many.
 */
export async function answerDetection(pack: Pack, batches: readonly number[]): Promise<void> {
  const folder = process.env[ANSWERS_VARIABLE];
  const { detection } = pack.manifest;
  if (folder === undefined || detection.adapter !== 'yolov8') return;
  const [output] = detection.model.outputs;
  const anchors = output?.shape[2];
  if (output === undefined || typeof anchors !== 'number') return;
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) await rm(join(folder, name));
  const candidates = candidatesAbove(detection, anchors);
  const files =
    preparedGraph(pack.manifest, 'detection') === null
      ? [...new Set([1, ...batches])].map((batch) => rawAnswer(candidates, { batch, anchors, dtype: output.dtype }))
      : preparedAnswer(candidates, Math.max(...batches));
  for (const [name, data] of Object.entries(Object.assign({}, ...files))) {
    await writeFile(join(folder, name), data as Uint8Array);
  }
}

function candidatesAbove(
  { classes, confidence }: { readonly classes: readonly string[]; readonly confidence: number },
  anchors: number,
): readonly Candidate[] {
  return Array.from({ length: CANDIDATES }, (_, i) => {
    const object = Math.floor(i / ANCHORS_PER_OBJECT);
    const beside = i % ANCHORS_PER_OBJECT;
    const [cx, cy] = [60 + (object % ROWS) * APART + beside, 120 + Math.floor(object / ROWS) * 2 * APART - beside];
    const score = confidence + (1 - confidence) * ((0.9 * (ANCHORS_PER_OBJECT - beside)) / (ANCHORS_PER_OBJECT + 1));
    const scores = classes.map((_, k) => (k === object % classes.length ? score : confidence / 10));
    return { anchor: Math.floor(((i + 0.5) * anchors) / CANDIDATES), numbers: [cx, cy, 60, 180, ...scores] };
  });
}

type Files = Readonly<Record<string, Uint8Array>>;

/** Of `yolov8Graph`: how many rows there are, and the rows. In a run of fewer frames those of the others count as padding. */
function preparedAnswer(candidates: readonly Candidate[], frames: number): readonly Files[] {
  const perFrame = Array.from({ length: frames }, (_, frame) =>
    candidates.map((candidate) => ({ ...candidate, frame })),
  );
  const rows = perFrame.flat();
  return [
    { found: bytesOf(Int32Array.of(rows.length)) },
    { [ANCHORS_OUTPUT.candidates]: bytesOf(Float32Array.from(rows.flatMap(({ numbers }) => numbers))) },
    { [ANCHORS_OUTPUT.places]: bytesOf(Int32Array.from(rows.flatMap(({ frame, anchor }) => [frame, anchor]))) },
  ];
}

/** Of the official graph: all anchors of all frames. */
function rawAnswer(
  candidates: readonly Candidate[],
  { batch, anchors, dtype }: { readonly batch: number; readonly anchors: number; readonly dtype: string },
): Files {
  const columns = candidates[0]?.numbers.length ?? 0;
  const one = new Float32Array(columns * anchors);
  for (const { anchor, numbers } of candidates) numbers.forEach((value, row) => (one[row * anchors + anchor] = value));
  const all = new Float32Array(batch * one.length);
  for (let frame = 0; frame < batch; frame++) all.set(one, frame * one.length);
  const { data } = floatTensor(dtype, all, [batch, columns, anchors]);
  return { [`raw-${batch}`]: bytesOf(data as Float32Array) };
}

function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
