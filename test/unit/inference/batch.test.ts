import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { batchSizes, paddedCount, runHalving, takenCount, warmUp } from '../../../src/inference/batch.ts';

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
    [32, [1, 4, 8, 16, 32]],
    [64, [1, 8, 16, 32, 64]],
  ] as const)('up to %i', (limit, sizes) => expect(batchSizes(limit)).toEqual(sizes));

  test('every count up to the limit has a size', () => {
    for (const limit of [1, 2, 4, 8, 16, 32, 64]) {
      const sizes = batchSizes(limit);
      for (let count = 1; count <= limit; count++) expect(sizes).toContain(paddedCount(count, sizes));
    }
  });
});

describe('takenCount', () => {
  const detection = { limit: 8, sizes: [1, 2, 4, 8], leastFull: 0.8 };
  const people = { limit: 64, sizes: [1, 8, 16, 32, 64], leastFull: 0 };

  test.each([
    ['one runs alone', 1, 1],
    ['a full size runs', 2, 2],
    ['three of four are too few: two run, and one waits', 3, 2],
    ['four', 4, 4],
    ['five of eight are too few', 5, 4],
    ['and six', 6, 4],
    ['seven are enough', 7, 7],
    ['no more than the limit', 30, 8],
  ])('%s', (_name, waiting, taken) => expect(takenCount(waiting, 0, detection)).toBe(taken));

  test.each([1, 3, 9, 17, 33, 64])('%i people run at once where a row that fills costs nothing', (waiting) => {
    expect(takenCount(waiting, 0, people)).toBe(waiting);
  });

  test('whoever was left behind is taken, also where a size is less than full', () => {
    expect(takenCount(3, 2, detection)).toBe(2);
    expect(takenCount(3, 3, detection)).toBe(3);
    expect(takenCount(6, 5, detection)).toBe(5);
    expect(takenCount(30, 8, detection)).toBe(8);
  });

  test('without sizes all run that wait, up to the limit', () => {
    const plain = { limit: 4, sizes: [], leastFull: 0.8 };
    expect([1, 3, 4, 9].map((waiting) => takenCount(waiting, 0, plain))).toEqual([1, 3, 4, 4]);
  });
});

describe('warmUp', () => {
  const ran = async (sizes: readonly number[], most = Infinity): Promise<{ ran: number[]; error: unknown }> => {
    const all: number[] = [];
    const warmed = warmUp(sizes, async (size) => {
      all.push(size);
      if (size > most) throw new Failure('CUDA_OUT_OF_MEMORY', 'no');
    });
    return { ran: all, error: await warmed.catch((error: unknown) => error) };
  };

  test('runs every size, the largest first, and one where there are none', async () => {
    expect(await ran([2, 8])).toEqual({ ran: [8, 2], error: undefined });
    expect(await ran([])).toEqual({ ran: [1], error: undefined });
  });

  test('a size without memory fails it at once', async () => {
    expect(await ran([1, 8, 16], 8)).toEqual({
      ran: [16],
      error: expect.objectContaining({ code: 'CUDA_OUT_OF_MEMORY' }),
    });
  });
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
