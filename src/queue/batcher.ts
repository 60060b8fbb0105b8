import { BATCH_SIZE, classifyCallError, type EntryResult } from './sqs/batch-calls.ts';

interface Pending<T> {
  readonly item: T;
  readonly resolve: (result: EntryResult) => void;
}

/**
 * Collects single calls of many jobs into batches of ten: a batch leaves when it is full or when the first of it has
 * waited for `lingerMs`. A call that fails as a whole is the result of each of its entries; `add` never rejects.
 */
export class Batcher<T> {
  readonly #run: (items: readonly T[]) => Promise<EntryResult[]>;
  readonly #lingerMs: number;
  #pending: Pending<T>[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(run: (items: readonly T[]) => Promise<EntryResult[]>, lingerMs: number) {
    this.#run = run;
    this.#lingerMs = lingerMs;
  }

  add(item: T): Promise<EntryResult> {
    return new Promise((resolve) => {
      this.#pending.push({ item, resolve });
      if (this.#pending.length >= BATCH_SIZE) {
        void this.#flush();
        return;
      }
      this.#timer ??= setTimeout(() => {
        void this.#flush();
      }, this.#lingerMs);
    });
  }

  async #flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    let results: readonly EntryResult[];
    try {
      results = await this.#run(batch.map((pending) => pending.item));
    } catch (error) {
      const result = classifyCallError(error);
      results = batch.map(() => result);
    }
    for (const [index, pending] of batch.entries()) {
      pending.resolve(results[index] ?? { kind: 'failed', code: 'NoResult', message: 'the answer is too short' });
    }
  }
}
