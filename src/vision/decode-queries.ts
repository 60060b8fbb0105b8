import type { Box } from './box.ts';

export interface QuerySettings {
  readonly queries: number;
  /** Columns of the logits, used or not. */
  readonly columns: number;
  /** For each class that is asked for, its columns. */
  readonly classes: readonly (readonly number[])[];
  /** `sigmoid`: each column is a claim of its own. `softmax`: the columns compete, and the last one is "nothing". */
  readonly activation: 'sigmoid' | 'softmax';
  readonly confidence: number;
  readonly maxDetections: number;
}

interface QueryDetection {
  /** Shares of the model's input: 0..1 where it lies inside. */
  readonly box: Box;
  readonly score: number;
  /** Place in `classes`. */
  readonly classIndex: number;
  readonly query: number;
}

/**
 * Decodes one picture's [queries, columns] logits and [queries, 4] boxes (cx, cy, w, h as shares of the input) into boxes
 * by descending score, strictly above `confidence`; equal scores keep the order of the queries. There is no suppression:
 * such a model gives one query per object. The rules are those of the references' post-processing: with `sigmoid` a
 * query may claim several classes (RT-DETR), with `softmax` only the strongest of all columns but the last (DETR).
 */
export function decodeQueries(
  logits: Float32Array,
  boxes: Float32Array,
  settings: QuerySettings,
): readonly QueryDetection[] {
  const { queries, columns, classes, activation, confidence } = settings;
  const scoresOf = activation === 'sigmoid' ? sigmoidScores : softmaxScores;
  const found: QueryDetection[] = [];
  for (let query = 0; query < queries; query++) {
    const row = logits.subarray(query * columns, (query + 1) * columns);
    scoresOf(row, classes).forEach((score, classIndex) => {
      if (score > confidence) found.push({ box: boxOf(boxes, query), score, classIndex, query });
    });
  }
  return found.sort((a, b) => b.score - a.score || a.query - b.query).slice(0, settings.maxDetections);
}

function sigmoidScores(row: Float32Array, classes: QuerySettings['classes']): readonly number[] {
  return classes.map((columns) => 1 / (1 + Math.exp(-largest(row, columns))));
}

function softmaxScores(row: Float32Array, classes: QuerySettings['classes']): readonly number[] {
  let best = 0;
  for (let column = 1; column < row.length - 1; column++) {
    if ((row[column] as number) > (row[best] as number)) best = column;
  }
  const top = row.reduce((most, value) => Math.max(most, value));
  const sum = row.reduce((total, value) => total + Math.exp(value - top), 0);
  const score = Math.exp((row[best] as number) - top) / sum;
  return classes.map((columns) => (columns.includes(best) ? score : 0));
}

function largest(row: Float32Array, columns: readonly number[]): number {
  return columns.reduce((most, column) => Math.max(most, row[column] as number), Number.NEGATIVE_INFINITY);
}

function boxOf(boxes: Float32Array, query: number): Box {
  const [cx, cy, width, height] = boxes.subarray(query * 4, query * 4 + 4) as unknown as [
    number,
    number,
    number,
    number,
  ];
  return { x1: cx - width / 2, y1: cy - height / 2, x2: cx + width / 2, y2: cy + height / 2 };
}
