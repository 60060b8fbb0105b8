import { Failure } from '../failure/failure.ts';

/**
 * Sizes that batches of at most `limit` items are filled up to: the limit, half of it, and so on down to one. Every size costs a
 * session and a warm-up on a GPU (see `batch-model.ts`), fewer would cost more padding. One has to be among any sizes: what the
 * GPU has no memory for is halved down to it.
 */
export function batchSizes(limit: number): readonly number[] {
  const sizes: number[] = [];
  for (let size = limit; size >= 1; size = Math.floor(size / 2)) sizes.unshift(size);
  return sizes;
}

/** Rows to allocate for `count` items: the next of the sizes; exactly as many where there is none, or none so large. */
export function paddedCount(count: number, sizes: readonly number[]): number {
  return sizes.find((size) => size >= count) ?? count;
}

/** Batches to run before the first job, so that no size is met for the first time in one. */
export function warmupCounts(sizes: readonly number[]): readonly number[] {
  return sizes.length > 0 ? sizes : [1];
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
