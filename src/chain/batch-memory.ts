import { isOutOfMemory } from '../inference/batch.ts';
import { untilAborted } from '../time/until-aborted.ts';
import { lowerBatches } from './lower-batches.ts';
import type { BatchLimits } from './stage.ts';

export interface BatchMemoryOptions {
  /** What the models were opened with. */
  readonly batch: BatchLimits;
  /** Resolves when every model keeps no more memory than runs of these take. */
  readonly lower: (to: BatchLimits) => Promise<unknown>;
  readonly onLowered: (from: BatchLimits, to: BatchLimits) => void;
}

/**
 * Finds memory for a call that has found none on the GPU, though it ran its items one by one: what the models keep for larger batches is
 * given back, and the call is made again. Frames larger than those before and other programs on the GPU need memory when all of it may be
 * taken, mostly by another thread than the one that lacks it.
 */
export class BatchMemory {
  readonly #options: BatchMemoryOptions;
  #batch: BatchLimits;
  #lowering: Promise<boolean> | null = null;
  #times = 0;

  constructor(options: BatchMemoryOptions) {
    this.#options = options;
    this.#batch = options.batch;
  }

  /** As the call; CUDA_OUT_OF_MEMORY stands where nothing is left to give back. */
  async findFor<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      const times = this.#times;
      try {
        return await call();
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        // What others had given back meanwhile may suffice. A thread that does not answer holds up nobody who has given up.
        if (this.#times === times && !(await untilAborted(this.#lower(), signal))) throw error;
        signal.throwIfAborted();
      }
    }
  }

  /** Calls that fail together are helped together. */
  async #lower(): Promise<boolean> {
    this.#lowering ??= this.#lowerOnce().finally(() => (this.#lowering = null));
    return this.#lowering;
  }

  async #lowerOnce(): Promise<boolean> {
    const from = this.#batch;
    const to = lowerBatches(from);
    if (to === null) return false;
    this.#batch = to;
    this.#options.onLowered(from, to);
    await this.#options.lower(to);
    this.#times += 1;
    return true;
  }
}
