import { setImmediate as nextTurn } from 'node:timers/promises';
import { runHalving } from '../batch.ts';
import type { StageMeter } from '../stage-meter.ts';

interface BatchStage<Item, Result> {
  /** Most items in one run. */
  readonly limit: number;
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
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface Queue {
  readonly limit: number;
  readonly meter: StageMeter;
  readonly run: (items: readonly unknown[]) => Promise<readonly unknown[]>;
  readonly waiting: Waiting[];
}

/**
 * The order of work of one inference thread, where only one model can run at a time.
 *
 * Items wait in a queue per stage. Whenever the thread is free, the stage with the oldest item takes what waits there, up to its
 * limit, whichever video it comes from: batches grow with the load and nobody waits for a batch to fill. Between two batches the
 * event loop gets a turn, so that messages which arrived during a run join the next batch and aborts take effect.
 */
export class BatchQueue {
  readonly #queues: Queue[] = [];
  #order = 0;
  #pumping = false;

  /** Adds a stage and returns its entrance. */
  stage<Item, Result>(stage: BatchStage<Item, Result>): Submit<Item, Result> {
    const queue: Queue = {
      limit: stage.limit,
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
          resolve: resolve as (value: unknown) => void,
          reject,
        });
        if (!this.#pumping) void this.#pump();
      });
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

function takeBatch(queue: Queue): readonly Waiting[] {
  const batch: Waiting[] = [];
  while (batch.length < queue.limit) {
    const waiting = queue.waiting.shift();
    if (waiting === undefined) break;
    if (waiting.signal.aborted) waiting.reject(waiting.signal.reason);
    else batch.push(waiting);
  }
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
