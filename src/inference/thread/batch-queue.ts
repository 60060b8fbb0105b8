import { setImmediate as nextTurn } from 'node:timers/promises';
import { runHalving, takenCount, type Batching } from '../batch.ts';
import type { StageMeter } from '../stage-meter.ts';

/** Without sizes every batch has as many rows as items. */
interface BatchStage<Item, Result> extends Pick<Batching, 'limit'>, Partial<Omit<Batching, 'limit'>> {
  readonly meter: StageMeter;
  /** One result per item, in order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
}

/** Queues one item; rejects with the signal's reason when the item is given up before its batch starts. */
export type Submit<Item, Result> = (item: Item, signal: AbortSignal) => Promise<Result>;

interface Waiting {
  readonly order: number;
  readonly item: unknown;
  readonly signal: AbortSignal;
  /** A run of a smaller size has left it to the next one. */
  isLeftBehind: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface Queue {
  batching: Batching;
  readonly meter: StageMeter;
  readonly run: (items: readonly unknown[]) => Promise<readonly unknown[]>;
  readonly waiting: Waiting[];
}

/**
 * The order of work of one inference thread, where only one model can run at a time.
 *
 * Items wait in a queue per stage. Whenever the thread is free, the stage with the oldest item takes what waits there, up to its
 * limit, whichever video it comes from: batches grow with the load and nobody waits for a batch to fill. A stage may leave some to the
 * next batch rather than run rows for nothing (`takenCount`), each item once at most. Between two batches the
 * event loop gets a turn, so that messages which arrived during a run join the next batch and aborts take effect.
 */
export class BatchQueue {
  readonly #queues: Queue[] = [];
  #order = 0;
  #pumping = false;

  /** Adds a stage and returns its entrance. */
  stage<Item, Result>(stage: BatchStage<Item, Result>): Submit<Item, Result> {
    const { limit, sizes = [], leastFull = 0 } = stage;
    const queue: Queue = {
      batching: { limit, sizes, leastFull },
      meter: stage.meter,
      run: (items) => stage.run(items as readonly Item[]),
      waiting: [],
    };
    this.#queues.push(queue);
    return (item, signal) =>
      new Promise<Result>((resolve, reject) => {
        queue.waiting.push({
          order: this.#order++,
          item,
          signal,
          isLeftBehind: false,
          resolve: resolve as (value: unknown) => void,
          reject,
        });
        if (!this.#pumping) void this.#pump();
      });
  }

  /** From now on no stage takes more items at once; where it has sizes, the next smaller of them. */
  lowerLimits(most: number): void {
    for (const queue of this.#queues) {
      const { limit, sizes } = queue.batching;
      const lower = sizes.findLast((size) => size <= most) ?? most;
      queue.batching = { ...queue.batching, limit: Math.min(limit, lower) };
    }
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    for (;;) {
      await nextTurn();
      const queue = this.#oldest();
      if (queue === null) break;
      const batch = takeBatch(queue);
      if (batch.length > 0) await runBatch(queue, batch);
    }
    this.#pumping = false;
  }

  #oldest(): Queue | null {
    let oldest: Queue | null = null;
    for (const queue of this.#queues) {
      const head = queue.waiting[0];
      if (head !== undefined && head.order < (oldest?.waiting[0]?.order ?? Infinity)) oldest = queue;
    }
    return oldest;
  }
}

function takeBatch({ waiting, batching }: Queue): readonly Waiting[] {
  const wanted: Waiting[] = [];
  while (wanted.length < batching.limit) {
    const next = waiting.shift();
    if (next === undefined) break;
    if (next.signal.aborted) next.reject(next.signal.reason);
    else wanted.push(next);
  }
  const leftBehind = wanted.findLastIndex((item) => item.isLeftBehind) + 1;
  const batch = wanted.splice(0, takenCount(wanted.length, leftBehind, batching));
  for (const item of wanted) item.isLeftBehind = true;
  waiting.unshift(...wanted);
  return batch;
}

async function runBatch(queue: Queue, batch: readonly Waiting[]): Promise<void> {
  const started = performance.now();
  try {
    const items = batch.map((waiting) => waiting.item);
    const results = await runHalving(items, (part) => queue.run(part));
    batch.forEach((waiting, i) => waiting.resolve(results[i]));
    queue.meter.items += batch.length;
  } catch (error) {
    for (const waiting of batch) waiting.reject(error);
  } finally {
    queue.meter.totalMs += performance.now() - started;
  }
}
