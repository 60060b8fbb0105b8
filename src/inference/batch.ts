import { Failure } from '../failure/failure.ts';

/** Halves of the limit, down to an eighth of it: below that a run costs hardly less for fewer rows. */
const HALVES = 3;

/**
 * Sizes that batches of at most `limit` items are filled up to: the limit, its half, quarter and eighth, and one. Every size costs a
 * session and a warm-up on a GPU (see `batch-model.ts`), fewer would cost more padding. One has to be among any sizes: what the
 * GPU has no memory for is halved down to it.
 */
export function batchSizes(limit: number): readonly number[] {
  const sizes = Array.from({ length: HALVES + 1 }, (_, halves) => Math.floor(limit / 2 ** halves));
  return [...new Set([...sizes, 1])].filter((size) => size >= 1).sort((a, b) => a - b);
}

/** Rows to allocate for `count` items: the next of the sizes; exactly as many where there is none, or none so large. */
export function paddedCount(count: number, sizes: readonly number[]): number {
  return sizes.find((size) => size >= count) ?? count;
}

/** How a stage takes what waits for it. */
export interface Batching {
  /** Most items in one run. */
  readonly limit: number;
  /** Sizes that batches are filled up to; empty: a batch has as many rows as items. */
  readonly sizes: readonly number[];
  /** Share of a size from which on it is filled up; 0: whatever waits runs at once. */
  readonly leastFull: number;
}

/**
 * Items that the next run takes of so many that wait: all up to the limit, but where they would leave too much of a size empty, the next
 * smaller size full. `leftBehind` of the first ones were left to wait by a run before, and are taken now in any case.
 */
export function takenCount(waiting: number, leftBehind: number, { limit, sizes, leastFull }: Batching): number {
  const most = Math.min(waiting, limit);
  const smaller = sizes.findLast((size) => size < most);
  if (smaller === undefined || most >= leastFull * paddedCount(most, sizes)) return most;
  return Math.min(most, Math.max(smaller, leftBehind));
}

/**
 * Runs a batch of each size before the first job, so that none is met for the first time in one; a batch of one where there are no sizes.
 * The largest first: where the GPU has no memory for all of them, that is known soonest.
 */
export async function warmUp(sizes: readonly number[], run: (size: number) => Promise<unknown>): Promise<void> {
  for (const size of sizes.length === 0 ? [1] : sizes.toReversed()) await run(size);
}

/** Whether the GPU had no memory for something, which it may have for less of it. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Failure && error.code === 'CUDA_OUT_OF_MEMORY';
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
    if (!isOutOfMemory(error) || items.length < 2) throw error;
    const half = Math.ceil(items.length / 2);
    return [...(await runHalving(items.slice(0, half), run)), ...(await runHalving(items.slice(half), run))];
  }
}
