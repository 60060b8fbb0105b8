import pino from 'pino';
import type { Disposition } from '../../src/failure/disposition.ts';
import type { ProcessJob } from '../../src/worker/delivery.ts';
import { WorkerEventBus } from '../../src/worker/events.ts';
import type { WorkerOptions, WorkerSettings } from '../../src/worker/worker-options.ts';
import { Worker } from '../../src/worker/worker.ts';
import { FakeQueue, type FakeQueueOptions } from './fake-queue.ts';
import { HandClock } from './hand-clock.ts';

export interface WorkerRig extends AsyncDisposable {
  readonly clock: HandClock;
  readonly queue: FakeQueue;
  /** Sends a message that asks for this object; answers with its id. */
  send(key: string, groupId?: string): string;
  worker(processJob: ProcessJob, options?: RigOptions): { readonly worker: Worker; readonly events: WorkerEventBus };
}

export interface RigOptions {
  readonly concurrency?: number;
  readonly settings?: Partial<WorkerSettings>;
  readonly options?: Partial<WorkerOptions>;
}

/** As a claim answers for an object that another run has. */
export function anotherRunHasIt(afterSeconds = 60): Disposition {
  return { kind: 'wait', why: 'object', afterSeconds, detail: 'another run is on it', otherwise: null };
}

/** Workers on a queue in memory and a clock that stands until the test moves it: `clock.until` plays the time that a wait takes. */
export function createWorkerRig(options: Omit<FakeQueueOptions, 'clock'> = {}): WorkerRig {
  const clock = new HandClock();
  const queue = new FakeQueue({ clock, ...options });
  const workers: Worker[] = [];
  return {
    clock,
    queue,
    send: (key, groupId) => queue.send(JSON.stringify({ bucket: 'b', key }), { groupId: groupId ?? null }),
    worker(processJob, { concurrency = 1, settings, options: others } = {}) {
      const logger = pino({ level: 'silent' });
      const events = new WorkerEventBus(logger);
      const worker = new Worker({
        queues: [{ name: 'videos', weight: 1, messages: queue }],
        concurrency,
        processJob,
        settings: {
          visibilitySeconds: 60,
          waitSeconds: 20,
          maxProcessingSeconds: 3_600,
          unwindMs: 2_000,
          workerVersion: 'test',
          ...settings,
        },
        logger,
        events,
        clock,
        ...others,
      });
      workers.push(worker);
      return { worker, events };
    },
    async [Symbol.asyncDispose]() {
      queue.fault = () => null;
      const running = workers.filter(({ state }) => state !== 'starting');
      await clock.until(Promise.all(running.map((worker) => worker.drainNow('end'))));
    },
  };
}
