import { everySettled } from '../../src/chain/every-settled.ts';
import { paddedCount, type Batching } from '../../src/inference/batch.ts';
import { stageMeter } from '../../src/inference/stage-meter.ts';
import { BatchQueue, type Submit } from '../../src/inference/thread/batch-queue.ts';
import type { Clock } from '../../src/time/clock.ts';
import type { FakeChainOptions } from './fake-chain.ts';

/** How long the runs of a model take, and which thread they block. */
export interface SimulatedStage {
  readonly thread: string;
  readonly batching: Batching;
  /** Milliseconds of the device for so many rows. */
  readonly deviceMs: (rows: number) => number;
  /** Milliseconds of the thread for so many items, while the device is free for others; none when absent. */
  readonly hostMs?: (items: number) => number;
}

export interface SimulatedRun {
  readonly stage: string;
  /** When it was taken from its queue. */
  readonly at: number;
  readonly items: number;
  readonly rows: number;
}

/**
 * Models on one device of a clock moved by hand: what is asked waits in the batch queue of its thread, as in the worker, and the runs of all
 * threads follow one another on the device. `before` is what a scripted chain calls before it answers; a stage that is not here answers
 * at once.
 */
export class SimulatedDevice {
  readonly runs: SimulatedRun[] = [];
  readonly #clock: Clock;
  readonly #stages = new Map<string, Submit<null, null>>();
  #freeAt = 0;

  constructor(clock: Clock, stages: Readonly<Record<string, SimulatedStage>>) {
    this.#clock = clock;
    const threads = new Map<string, BatchQueue>();
    for (const [name, stage] of Object.entries(stages)) {
      const queue = threads.get(stage.thread) ?? new BatchQueue();
      threads.set(stage.thread, queue);
      const run = (items: readonly null[]): Promise<readonly null[]> => this.#run(name, stage, items);
      this.#stages.set(name, queue.stage({ ...stage.batching, meter: stageMeter(), run }));
    }
  }

  readonly before: NonNullable<FakeChainOptions['before']> = async (stage, _sample, signal, items) => {
    const submit = this.#stages.get(stage);
    if (submit !== undefined) await everySettled(Array.from({ length: items }, () => submit(null, signal)));
  };

  async #run(name: string, stage: SimulatedStage, items: readonly null[]): Promise<readonly null[]> {
    const rows = paddedCount(items.length, stage.batching.sizes);
    this.runs.push({ stage: name, at: this.#clock.now(), items: items.length, rows });
    await this.#passes(stage.hostMs?.(items.length) ?? 0);
    this.#freeAt = Math.max(this.#freeAt, this.#clock.now()) + stage.deviceMs(rows);
    await this.#passes(this.#freeAt - this.#clock.now());
    return items;
  }

  #passes(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve);
    });
  }
}
