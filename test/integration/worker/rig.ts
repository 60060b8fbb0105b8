import { SendMessageCommand } from '@aws-sdk/client-sqs';
import pino from 'pino';
import type { ProcessJob } from '../../../src/worker/delivery.ts';
import { WorkerEventBus } from '../../../src/worker/events.ts';
import { createSqsQueue } from '../../../src/queue/sqs/sqs-queue.ts';
import type { SqsClients } from '../../../src/queue/sqs/sqs-client.ts';
import type { WorkerSettings } from '../../../src/worker/worker-options.ts';
import { Worker } from '../../../src/worker/worker.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';
import { owned } from '../../harness/ownership.ts';

export interface Rig extends AsyncDisposable {
  readonly sqs: SqsServer;
  readonly url: string;
  readonly deadUrl: string;
  /** Sends a message that asks for this object; answers with its id. */
  send(key: string): Promise<string>;
  worker(processJob: ProcessJob, options?: RigOptions): { worker: Worker; events: WorkerEventBus };
}

export interface RigOptions {
  readonly concurrency?: number;
  readonly settings?: Partial<WorkerSettings>;
  readonly url?: string;
  /** Of the queue's redrive policy, which the queue has already. */
  readonly maxReceives?: number | null;
  /** The server's own when absent. */
  readonly clients?: SqsClients;
}

/** Workers on a real queue, with jobs that the test gives. */
export async function createRig(): Promise<Rig> {
  const sqs = await startSqsServer();
  const deadUrl = sqs.server.createQueue('dead').queueUrl;
  const url = sqs.server.createQueue('videos').queueUrl;
  const workers: Worker[] = [];
  return {
    sqs,
    url,
    deadUrl,
    async send(key) {
      const message = { QueueUrl: url, MessageBody: JSON.stringify({ bucket: 'b', key }) };
      return (await sqs.clients.control.send(new SendMessageCommand(message))).MessageId ?? '';
    },
    worker(
      processJob,
      { concurrency = 1, settings, url: queueUrl = url, clients = sqs.connect(), maxReceives = null } = {},
    ) {
      const logger = pino({ level: 'silent' });
      const events = new WorkerEventBus(logger);
      const worker = new Worker({
        queues: [
          {
            name: 'videos',
            weight: 1,
            messages: createSqsQueue(clients, { url: queueUrl, deadLetterUrl: deadUrl, redrive: { maxReceives } }),
          },
        ],
        concurrency,
        processJob,
        settings: {
          visibilitySeconds: 2,
          waitSeconds: 1,
          maxProcessingSeconds: 60,
          unwindMs: 2_000,
          workerVersion: 'test',
          ...settings,
        },
        logger,
        events,
      });
      workers.push(worker);
      return { worker, events };
    },
    [Symbol.asyncDispose]: owned('workers on a queue', async () => {
      await Promise.all(
        workers.filter((worker) => worker.state !== 'starting').map((worker) => worker.drainNow('end')),
      );
      await sqs[Symbol.asyncDispose]();
    }),
  };
}
