import type { Clock } from '../time/clock.ts';
import type { EntryResult } from './message-queue.ts';

export interface BatcherOptions<T> {
  readonly clock: Clock;
  /** One call for a batch; as the port has it, it never rejects. */
  readonly run: (items: readonly T[]) => Promise<readonly EntryResult[]>;
  /** Items in one call. */
  readonly limit: number;
  readonly lingerMs: number;
}

interface Pending<T> {
  readonly item: T;
  readonly resolve: (result: EntryResult) => void;
}

/**
 * Collects single calls of many jobs into batches: a batch leaves when it is full or when the first of it has waited for
 * `lingerMs`.
 */
export class Batcher<T> {
  readonly #options: BatcherOptions<T>;
  #pending: Pending<T>[] = [];
  #cancelTimer: (() => void) | null = null;

  constructor(options: BatcherOptions<T>) {
    this.#options = options;
  }

  add(item: T): Promise<EntryResult> {
    return new Promise((resolve) => {
      this.#pending.push({ item, resolve });
      if (this.#pending.length >= this.#options.limit) {
        void this.#flush();
        return;
      }
      this.#cancelTimer ??= this.#options.clock.after(this.#options.lingerMs, () => {
        void this.#flush();
      });
    });
  }

  async #flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    const results = await this.#options.run(batch.map((pending) => pending.item));
    for (const [index, pending] of batch.entries()) {
      pending.resolve(results[index] ?? { kind: 'failed', code: 'NoResult', message: 'the answer is too short' });
    }
  }
}
