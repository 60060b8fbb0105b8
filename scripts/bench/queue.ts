import { fork } from 'node:child_process';
import { once } from 'node:events';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import pino from 'pino';
import { Consumer } from 'sqs-consumer';
import { createSqsClients } from '../../src/queue/sqs-client.ts';
import { WorkerEventBus } from '../../src/worker/events.ts';
import { Worker } from '../../src/worker/worker.ts';

const JOBS = 3_000;
const CONCURRENCY = 40;
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

interface Figures {
  readonly jobsPerSecond: number;
  readonly apiCallsPerJob: number;
}

/** Counts the calls of a client by its outermost middleware. */
function countCalls(client: SQSClient, counter: { calls: number }): void {
  client.middlewareStack.add(
    (next) => (args) => {
      counter.calls += 1;
      return next(args);
    },
    { step: 'initialize', name: 'countCalls' },
  );
}

async function fill(endpoint: string, queueUrl: string): Promise<void> {
  const client = new SQSClient({ region: 'us-east-1', endpoint, credentials: CREDENTIALS });
  for (let start = 0; start < JOBS; start += 10) {
    const Entries = Array.from({ length: 10 }, (_, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify({ bucket: 'b', key: `k${start + index}` }),
    }));
    await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
  client.destroy();
}

function rate(ms: number, calls: number): Figures {
  return { jobsPerSecond: Math.round((JOBS * 1_000) / ms), apiCallsPerJob: Number((calls / JOBS).toFixed(3)) };
}

async function benchWorker(endpoint: string, queueUrl: string): Promise<Figures> {
  await fill(endpoint, queueUrl);
  const clients = createSqsClients({ region: 'us-east-1', endpoint, credentials: CREDENTIALS });
  const counter = { calls: 0 };
  countCalls(clients.poll, counter);
  countCalls(clients.control, counter);
  const logger = pino({ level: 'silent' });
  const events = new WorkerEventBus(logger);
  const worker = new Worker({
    queues: [{ url: queueUrl, name: 'bench', weight: 1, deadLetterUrl: null }],
    concurrency: CONCURRENCY,
    processJob: async () => ({ kind: 'ack', outcome: 'completed' }),
    clients,
    settings: { visibilitySeconds: 60, waitSeconds: 1, maxProcessingSeconds: 60, unwindMs: 1_000, workerVersion: '0' },
    logger,
    events,
  });
  const done = Promise.withResolvers<void>();
  let deleted = 0;
  events.on('message:deleted', () => {
    deleted += 1;
    if (deleted === JOBS) done.resolve();
  });
  const start = performance.now();
  worker.start();
  await done.promise;
  const figures = rate(performance.now() - start, counter.calls);
  await worker.drain('bench', 1_000);
  clients[Symbol.dispose]();
  return figures;
}

async function benchConsumer(endpoint: string, queueUrl: string, isBatch: boolean): Promise<Figures> {
  await fill(endpoint, queueUrl);
  const sqs = new SQSClient({ region: 'us-east-1', endpoint, credentials: CREDENTIALS });
  const counter = { calls: 0 };
  countCalls(sqs, counter);
  const done = Promise.withResolvers<void>();
  let processed = 0;
  const options = { queueUrl, sqs, batchSize: 10, waitTimeSeconds: 1, visibilityTimeout: 60 };
  const consumer = isBatch
    ? Consumer.create({ ...options, handleMessageBatch: async (messages) => messages })
    : Consumer.create({ ...options, handleMessage: async (message) => message });
  // The event comes after the delete of that message.
  consumer.on('message_processed', () => {
    processed += 1;
    if (processed === JOBS) done.resolve();
  });
  consumer.on('response_processed', () => {
    if (isBatch && processed === JOBS) done.resolve();
  });
  const start = performance.now();
  consumer.start();
  await done.promise;
  const figures = rate(performance.now() - start, counter.calls);
  consumer.stop({ abort: true });
  sqs.destroy();
  return figures;
}

/** No-op jobs per second of the worker and of sqs-consumer, one after another on one server in its own process. */
export async function benchQueue(): Promise<Record<string, unknown>> {
  const child = fork(new URL('sqs-server.ts', import.meta.url));
  try {
    const [{ endpoint, queueUrls }] = (await once(child, 'message')) as [{ endpoint: string; queueUrls: string[] }];
    const [warm = '', a = '', b = '', c = ''] = queueUrls;
    await benchWorker(endpoint, warm);
    const single = await benchConsumer(endpoint, a, false);
    const worker = await benchWorker(endpoint, b);
    const batch = await benchConsumer(endpoint, c, true);
    return {
      jobs: JOBS,
      concurrency: CONCURRENCY,
      worker,
      sqsConsumer: single,
      sqsConsumerBatch: batch,
      ratio: Number((worker.jobsPerSecond / single.jobsPerSecond).toFixed(2)),
      ratioToBatch: Number((worker.jobsPerSecond / batch.jobsPerSecond).toFixed(2)),
    };
  } finally {
    child.kill();
  }
}
