import { expect, test } from '@jest/globals';
import { assignMaximum } from '../../../../src/analysis/tracking/assign.ts';

/** The best sum by trying every assignment. */
function bestSum(scores: readonly (readonly number[])[], row = 0, used: ReadonlySet<number> = new Set()): number {
  const line = scores[row];
  if (line === undefined) return 0;
  let best = bestSum(scores, row + 1, used);
  line.forEach((score, column) => {
    if (!used.has(column)) best = Math.max(best, score + bestSum(scores, row + 1, new Set([...used, column])));
  });
  return best;
}

/** Numbers 0..1 that are the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 48_271) % 2_147_483_647;
    yield state / 2_147_483_647;
  }
}

test.each([
  [1, 1],
  [2, 5],
  [5, 2],
  [4, 4],
  [6, 5],
])('%i x %i: as good as trying every assignment', (rows, columns) => {
  const next = numbers(rows * 10 + columns);
  for (let round = 0; round < 20; round++) {
    const scores = Array.from({ length: rows }, () => Array.from({ length: columns }, () => next.next().value));
    const pairs = assignMaximum(scores);
    expect(pairs).toHaveLength(Math.min(rows, columns));
    expect(new Set(pairs.map(([, column]) => column)).size).toBe(pairs.length);
    const sum = pairs.reduce((total, [row, column]) => total + scores[row]![column]!, 0);
    expect(sum).toBeCloseTo(bestSum(scores), 9);
  }
});

test('the greatest sum, not the greatest single score', () => {
  expect(
    assignMaximum([
      [0.9, 0.8],
      [0.8, 0.1],
    ]),
  ).toEqual([
    [0, 1],
    [1, 0],
  ]);
  expect(assignMaximum([])).toEqual([]);
});
