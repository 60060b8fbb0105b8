import { SendMessageCommand, type MessageAttributeValue } from '@aws-sdk/client-sqs';
import pino from 'pino';
import type { ProcessJob } from '../../../src/worker/delivery.ts';
import { WorkerEventBus } from '../../../src/worker/events.ts';
import { createSqsQueue } from '../../../src/queue/sqs/sqs-queue.ts';
import type { SqsClients } from '../../../src/queue/sqs/sqs-client.ts';
import type { WorkerOptions, WorkerSettings } from '../../../src/worker/worker-options.ts';
import { Worker } from '../../../src/worker/worker.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';

export interface Rig extends AsyncDisposable {
  readonly sqs: SqsServer;
  readonly url: string;
  readonly deadUrl: string;
  send(key: string, extra?: Record<string, MessageAttributeValue>): Promise<string>;
  sendBody(body: string, url?: string, group?: string): Promise<string>;
  worker(processJob: ProcessJob, options?: RigOptions): { worker: Worker; events: WorkerEventBus };
}

export interface RigOptions {
  readonly concurrency?: number;
  readonly settings?: Partial<WorkerSettings>;
  readonly url?: string;
  /** The server's own when absent. */
  readonly clients?: SqsClients;
  readonly options?: Partial<WorkerOptions>;
}

export async function createRig(): Promise<Rig> {
  const sqs = await startSqsServer();
  const address = (name: string, attributes: Record<string, string> = {}): string =>
    sqs.server.createQueue(name, { attributes }).queueUrl;
  const deadUrl = address('dead');
  const url = address('videos');
  const workers: Worker[] = [];
  const sendBody: Rig['sendBody'] = async (body, to = url, group) => {
    const answer = await sqs.clients.control.send(
      new SendMessageCommand({
        QueueUrl: to,
        MessageBody: body,
        ...(group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: body }),
      }),
    );
    return answer.MessageId ?? '';
  };
  return {
    sqs,
    url,
    deadUrl,
    sendBody,
    send: (key) => sendBody(JSON.stringify({ bucket: 'b', key })),
    worker(processJob, { concurrency = 1, settings, url: queueUrl = url, clients = sqs.connect(), options } = {}) {
      const logger = pino({ level: 'silent' });
      const events = new WorkerEventBus(logger);
      const worker = new Worker({
        queues: [
          { name: 'videos', weight: 1, messages: createSqsQueue(clients, { url: queueUrl, deadLetterUrl: deadUrl }) },
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
        ...options,
      });
      workers.push(worker);
      return { worker, events };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        workers.filter((worker) => worker.state !== 'starting').map((worker) => worker.drainNow('end')),
      );
      await sqs[Symbol.asyncDispose]();
    },
  };
}
