import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { batchSizes, paddedCount, runHalving, warmupCounts } from '../../../src/inference/batch.ts';

describe('paddedCount', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 8],
    [16, 16],
    [17, 17],
  ])('%i items stand in %i rows', (count, rows) => expect(paddedCount(count, [1, 2, 4, 8, 16])).toBe(rows));

  test('without sizes the batch is what it is', () => expect(paddedCount(5, [])).toBe(5));
});

describe('batchSizes', () => {
  test.each([
    [1, [1]],
    [2, [1, 2]],
    [8, [1, 2, 4, 8]],
    [16, [1, 2, 4, 8, 16]],
  ] as const)('up to %i', (limit, sizes) => expect(batchSizes(limit)).toEqual(sizes));

  test('every count up to the limit has a size', () => {
    for (const limit of [1, 2, 4, 8, 16]) {
      const sizes = batchSizes(limit);
      for (let count = 1; count <= limit; count++) expect(sizes).toContain(paddedCount(count, sizes));
    }
  });
});

test('every size is warmed, and one batch where there are none', () => {
  expect(warmupCounts([2, 8])).toEqual([2, 8]);
  expect(warmupCounts([])).toEqual([1]);
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

  test('comes down to one row with the two sizes of the vision encoder as well', async () => {
    const rows: number[] = [];
    const results = await runHalving([1, 2, 3, 4, 5, 6], async (items) => {
      rows.push(paddedCount(items.length, [1, 8]));
      if (rows.at(-1) === 8) throw outOfMemory();
      return items;
    });
    expect(results).toEqual([1, 2, 3, 4, 5, 6]);
    expect(rows.filter((size) => size === 1)).toHaveLength(6);
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
