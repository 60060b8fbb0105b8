import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Config } from '../config/config.ts';
import { findDeadLetterUrl, readQueueAttributes } from '../queue/sqs/queue-attributes.ts';
import { watchRedrive } from '../queue/sqs/redrive-watch.ts';
import { createSqsClients } from '../queue/sqs/sqs-client.ts';
import { createSqsQueue } from '../queue/sqs/sqs-queue.ts';
import type { Logger } from '../telemetry/logger.ts';
import { systemClock } from '../time/clock.ts';
import type { WorkerQueue } from '../worker/worker-options.ts';
import { ClosingStack } from './closing-stack.ts';

const LOOK_UP_TIMEOUT_MS = 10_000;
const REDRIVE_MS = 300_000;

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
    const limit = AbortSignal.timeout(LOOK_UP_TIMEOUT_MS);
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    const attributes = await readQueueAttributes(sqs, url, either);
    const deadLetterUrl = queue.deadLetterUrl ?? (await findDeadLetterUrl(sqs, attributes, either));
    if (deadLetterUrl === null) {
      logger.warn({ queue: name }, 'no dead-letter queue: rejected messages wait for redrive');
    }
    const redrive = opening.add(
      watchRedrive(attributes, {
        clock: systemClock,
        intervalMs: REDRIVE_MS,
        read: (stop) => readQueueAttributes(sqs, url, stop),
        onError: (error) => logger.warn({ err: error, queue: name }, 'the redrive policy could not be read again'),
      }),
      (opened) => {
        opened[Symbol.dispose]();
      },
    );
    queues.push({ name, weight, messages: createSqsQueue(clients, { url, deadLetterUrl, redrive }) });
  }
  const opened = opening.move();
  return { queues, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}
