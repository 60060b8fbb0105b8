import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Config } from '../config/config.ts';
import { findDeadLetterUrl, readQueueAttributes } from '../queue/sqs/queue-attributes.ts';
import { createSqsClients } from '../queue/sqs/sqs-client.ts';
import { createSqsQueue } from '../queue/sqs/sqs-queue.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerQueue } from '../worker/worker-options.ts';
import { ClosingStack } from './closing-stack.ts';

const LOOK_UP_TIMEOUT_MS = 10_000;

/** The queues that messages are taken from, with connections of their own. */
export interface OpenQueues extends AsyncDisposable {
  readonly queues: readonly WorkerQueue[];
}

/**
 * The one place that says which backend the worker's queues are of. `sqs` looks up where rejected messages go; it stays the caller's.
 * Rejects with the SDK's error when a queue cannot be read.
 */
export async function openQueues(
  config: Config<'queue'>,
  sqs: SQSClient,
  logger: Logger,
  signal?: AbortSignal,
): Promise<OpenQueues> {
  const { queue, aws } = config;
  const listed = [
    { name: 'high', url: queue.urlHigh, weight: queue.weightHigh },
    { name: 'normal', url: queue.url, weight: queue.weightNormal },
    { name: 'low', url: queue.urlLow, weight: queue.weightLow },
  ];
  await using opening = new ClosingStack();
  const clients = opening.add(createSqsClients({ region: aws.region, endpoint: aws.endpointUrl }), (opened) => {
    opened[Symbol.dispose]();
  });
  const queues: WorkerQueue[] = [];
  for (const { name, url, weight } of listed) {
    if (url === null) continue;
    const { deadLetterUrl, maxReceives } = await redriveOf(url, queue.deadLetterUrl, sqs, signal);
    if (deadLetterUrl === null) {
      logger.warn({ queue: name }, 'no dead-letter queue: rejected messages wait for redrive');
    }
    queues.push({ name, weight, messages: createSqsQueue(clients, { url, deadLetterUrl, maxReceives }) });
  }
  const opened = opening.move();
  return { queues, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

async function redriveOf(
  url: string,
  configured: string | null,
  sqs: SQSClient,
  stop?: AbortSignal,
): Promise<{ readonly deadLetterUrl: string | null; readonly maxReceives: number | null }> {
  const limit = AbortSignal.timeout(LOOK_UP_TIMEOUT_MS);
  const signal = stop === undefined ? limit : AbortSignal.any([stop, limit]);
  const attributes = await readQueueAttributes(sqs, url, signal);
  return {
    deadLetterUrl: configured ?? (await findDeadLetterUrl(sqs, attributes, signal)),
    maxReceives: attributes.redrive?.maxReceiveCount ?? null,
  };
}
