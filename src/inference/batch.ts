import { Failure } from '../failure.ts';

/** Batch sizes that are warmed: cuDNN searches an algorithm for every new shape, which costs hundreds of milliseconds. */
export const BATCH_BUCKETS = [1, 2, 4, 8, 16] as const;

/** Rows to allocate for `count` items: the next bucket where padding is on, else exactly as many. */
export function paddedCount(count: number, padding: boolean): number {
  if (!padding) return count;
  return BATCH_BUCKETS.find((size) => size >= count) ?? Math.ceil(count / 16) * 16;
}

/** Batch sizes to warm so that no shape up to `limit` items is met for the first time in a job. */
export function warmupCounts(limit: number, padding: boolean): readonly number[] {
  return padding ? [...new Set([...BATCH_BUCKETS.filter((size) => size < limit), paddedCount(limit, true)])] : [1];
}

/**
 * Runs the items together and, when the GPU has no memory for that, in halves, down to one item. Keeps the order of the
 * results. The failure of a single item stands.
 */
export async function runHalving<Item, Result>(
  items: readonly Item[],
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  try {
    return await run(items);
  } catch (error) {
    const outOfMemory = error instanceof Failure && error.code === 'CUDA_OUT_OF_MEMORY';
    if (!outOfMemory || items.length < 2) throw error;
    const half = Math.ceil(items.length / 2);
    return [...(await runHalving(items.slice(0, half), run)), ...(await runHalving(items.slice(half), run))];
  }
}
