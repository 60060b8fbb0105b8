import { expect, test } from '@jest/globals';
import { lowerBatches, lowerBatchesText } from '../../../src/chain/lower-batches.ts';
import type { BatchLimits } from '../../../src/chain/stage.ts';

test('the largest batch goes down to the others, then all together, until every run has one item', () => {
  const steps: number[][] = [];
  for (let batch: BatchLimits | null = { detection: 8, people: 64, language: 3 }; batch !== null;) {
    steps.push(Object.values(batch));
    batch = lowerBatches(batch);
  }
  expect(steps).toEqual([
    [8, 64, 3],
    [8, 32, 3],
    [8, 16, 3],
    [8, 8, 3],
    [4, 4, 3],
    [2, 2, 2],
    [1, 1, 1],
  ]);
});

test('the warning names what became smaller, as it is set', () => {
  const text = lowerBatchesText({ detection: 8, people: 8, language: 2 }, { detection: 4, people: 4, language: 2 });
  expect(text).toMatch(
    /no memory for runs of 8: .* with at most DETECTION_BATCH_SIZE=4 and PEOPLE_BATCH_SIZE=4; set that/,
  );
});
