import pino from 'pino';
import { createSqsClients } from '../../../src/queue/sqs/sqs-client.ts';
import { createSqsQueue } from '../../../src/queue/sqs/sqs-queue.ts';
import { WorkerEventBus, type WorkerEvents } from '../../../src/worker/events.ts';
import type { DrainReport } from '../../../src/worker/drain-report.ts';
import { Worker } from '../../../src/worker/worker.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../../harness/local-aws.ts';
import { createWatch } from './arena.ts';
import type { Contender, RunningContender } from './contender.ts';

type Told = { [K in keyof WorkerEvents]: { readonly name: K; readonly event: WorkerEvents[K] } }[keyof WorkerEvents];

export interface RunningWorker extends RunningContender {
  readonly worker: Worker;
  /** Every event but those of polls, in order; none of a quiet one. */
  readonly told: readonly Told[];
  /** What the drain said; null before the stop. */
  readonly report: DrainReport | null;
}

const TOLD: readonly (keyof WorkerEvents)[] = [
  'job:started',
  'job:returned',
  'message:deleted',
  'message:remembered',
  'message:given-back',
  'message:dead-lettered',
  'message:redelivered',
  'lease:lost',
  'lease:renewed',
  'lease:gap',
];

/** The worker of this repository: a lease and a delete for each message, batched on the wire. */
export const ourWorker: Contender<RunningWorker> = {
  name: 'this worker',
  start: (options) => {
    const clients = createSqsClients({
      region: TEST_REGION,
      endpoint: options.arena.endpoint,
      credentials: TEST_CREDENTIALS,
    });
    const watch = createWatch();
    watch.watch(clients.poll);
    watch.watch(clients.control);
    const logger = pino({ level: 'silent' });
    const events = new WorkerEventBus(logger);
    const told: Told[] = [];
    const names = options.isQuiet === true ? [] : TOLD;
    for (const name of names) events.on(name, (event) => told.push({ name, event } as Told));
    const reported: string[] = [];
    events.on('message:deleted', ({ messageId }) => {
      reported.push(messageId);
      options.onReported?.(messageId);
    });
    const worker = new Worker({
      queues: [
        {
          name: 'arena',
          weight: 1,
          messages: createSqsQueue(clients, {
            url: options.queueUrl,
            deadLetterUrl: options.deadLetterUrl,
            redrive: { maxReceives: null },
          }),
        },
      ],
      concurrency: options.slots,
      processJob: async (delivery, signal) => {
        const job = { messageId: delivery.messageId, key: delivery.job.key };
        await options.handle(job, { signal, confirm: () => delivery.confirmLease() });
        return { kind: 'ack', outcome: 'completed' };
      },
      settings: {
        visibilitySeconds: options.leaseSeconds,
        waitSeconds: options.waitSeconds,
        maxProcessingSeconds: (options.jobLimitMs ?? 3_600_000) / 1_000,
        unwindMs: 2_000,
        workerVersion: '0',
      },
      logger,
      events,
    });
    let report: DrainReport | null = null;
    worker.start();
    return {
      worker,
      told,
      watch,
      reported,
      get report() {
        return report;
      },
      stop: async (_how, deadlineMs) => {
        report = await worker.drain('the arena', deadlineMs);
      },
      close: () => {
        clients[Symbol.dispose]();
      },
    };
  },
};
