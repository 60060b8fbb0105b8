import { SendMessageCommand, type MessageAttributeValue } from '@aws-sdk/client-sqs';
import pino from 'pino';
import type { ProcessJob } from '../../../src/worker/delivery.ts';
import { WorkerEventBus, type WorkerEvents } from '../../../src/worker/events.ts';
import { Worker, type WorkerOptions, type WorkerSettings } from '../../../src/worker/worker.ts';
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
    worker(processJob, { concurrency = 1, settings, url: queueUrl = url, options } = {}) {
      const logger = pino({ level: 'silent' });
      const events = new WorkerEventBus(logger);
      const worker = new Worker({
        queues: [{ url: queueUrl, name: 'videos', weight: 1, deadLetterUrl: deadUrl }],
        concurrency,
        processJob,
        clients: sqs.connect(),
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

/** Resolves with the first such event that fits. */
export function next<K extends keyof WorkerEvents>(
  events: WorkerEventBus,
  name: K,
  fits: (event: WorkerEvents[K]) => boolean = () => true,
): Promise<WorkerEvents[K]> {
  return new Promise((resolve) => {
    const off = events.on(name, (event) => {
      if (!fits(event)) return;
      off();
      resolve(event);
    });
  });
}

/** Settles with the reason when the signal fires. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}
