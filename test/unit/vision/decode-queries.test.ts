import { describe, expect, test } from '@jest/globals';
import { decodeQueries, type QuerySettings } from '../../../src/vision/decode-queries.ts';

const settings: QuerySettings = {
  queries: 3,
  columns: 4,
  classes: [[1], [2]],
  activation: 'sigmoid',
  confidence: 0.5,
  maxDetections: 10,
};
const boxes = Float32Array.of(0.5, 0.5, 0.2, 0.4, 0.1, 0.2, 0.2, 0.2, 0.8, 0.5, 0.5, 0.5);
const read = (logits: readonly number[], changes: Partial<QuerySettings> = {}): readonly [number, number, number][] =>
  decodeQueries(Float32Array.from(logits), boxes, { ...settings, ...changes }).map((found) => [
    found.query,
    found.classIndex,
    Number(found.score.toFixed(4)),
  ]);

test('boxes are corners, and may reach outside', () => {
  const found = decodeQueries(Float32Array.of(-9, 9, -9, -9, -9, -9, -9, -9, -9, 8, -9, -9), boxes, settings);
  const corners = found.map(({ box: { x1, y1, x2, y2 } }) => [x1, y1, x2, y2].map((value) => Number(value.toFixed(4))));
  expect(corners).toEqual([
    [0.4, 0.3, 0.6, 0.7],
    [0.55, 0.25, 1.05, 0.75],
  ]);
});

describe('sigmoid', () => {
  test('a query may claim two classes; other columns claim nothing', () => {
    expect(read([9, 1, 2, 9, 9, -1, -1, 9, -9, -9, 3, -9])).toEqual([
      [2, 1, 0.9526],
      [0, 1, 0.8808],
      [0, 0, 0.7311],
    ]);
  });

  test('a score equal to the limit is not above it, and equal scores keep the order of the queries', () => {
    expect(read([0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0])).toEqual([
      [1, 0, 0.7311],
      [2, 0, 0.7311],
    ]);
    expect(read([0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0], { maxDetections: 1 })).toEqual([[1, 0, 0.7311]]);
  });

  test('of the columns of one class the strongest counts, once', () => {
    expect(read([2, 1, -9, 3, -9, -9, -9, -9, -9, -9, -9, -9], { classes: [[0, 1, 3]] })).toEqual([[0, 0, 0.9526]]);
  });
});

describe('softmax', () => {
  const softmax = { activation: 'softmax' } as const;

  test('the columns compete with each other and with "nothing" at the end', () => {
    const [e2, rest] = [Math.exp(2), 3];
    expect(read([0, 2, 0, 0, 3, 2, 0, 0, 0, 2, 0, 4], softmax)).toEqual([
      [0, 0, Number((e2 / (e2 + rest)).toFixed(4))],
    ]);
  });

  test('large logits do not overflow', () => {
    expect(read([0, 900, 0, 0, 0, 0, 0, 900, 0, 0, 0, 900], softmax)).toEqual([[0, 0, 1]]);
  });
});
