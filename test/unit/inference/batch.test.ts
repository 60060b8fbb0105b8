import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure.ts';
import { paddedCount, runHalving, warmupCounts } from '../../../src/inference/batch.ts';

describe('paddedCount', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 8],
    [16, 16],
    [17, 32],
  ])('%i items stand in %i rows', (count, rows) => expect(paddedCount(count, true)).toBe(rows));

  test('without padding the batch is what it is', () => expect(paddedCount(5, false)).toBe(5));
});

test('every batch size up to the limit is warmed with padding, one without', () => {
  expect(warmupCounts(8, true)).toEqual([1, 2, 4, 8]);
  expect(warmupCounts(6, true)).toEqual([1, 2, 4, 8]);
  expect(warmupCounts(1, true)).toEqual([1]);
  expect(warmupCounts(8, false)).toEqual([1]);
});

describe('runHalving', () => {
  const outOfMemory = (): Failure => new Failure('CUDA_OUT_OF_MEMORY', 'no memory');

  test('halves until the batch fits and keeps the order', async () => {
    const sizes: number[] = [];
    const results = await runHalving([1, 2, 3, 4, 5], async (items) => {
      sizes.push(items.length);
      if (items.length > 2) throw outOfMemory();
      return items.map((item) => item * 10);
    });
    expect(results).toEqual([10, 20, 30, 40, 50]);
    expect(sizes).toEqual([5, 3, 2, 1, 2]);
  });

  test('gives up with a single item', async () => {
    const run = (): Promise<never> => Promise.reject(outOfMemory());
    await expect(runHalving([1, 2], run)).rejects.toMatchObject({ code: 'CUDA_OUT_OF_MEMORY' });
  });

  test('does not repeat another failure', async () => {
    let runs = 0;
    const run = async (): Promise<never> => {
      runs++;
      throw new Failure('CUDA_ERROR', 'illegal access');
    };
    await expect(runHalving([1, 2], run)).rejects.toMatchObject({ code: 'CUDA_ERROR' });
    expect(runs).toBe(1);
  });
});
