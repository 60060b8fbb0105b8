import type { Message } from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import { localSqs } from '../../harness/local-aws.ts';
import { createWatch } from './arena.ts';
import type { Contender, ContenderJob, ContenderOptions, RunningContender } from './contender.ts';

export interface ConsumerVariant {
  /** A handler for each message and a delete for each, or one of both for a batch. */
  readonly isBatch: boolean;
  /** Heartbeats at a third of the lease. */
  readonly hasHeartbeat: boolean;
  /** `pollingCompleteWaitTimeMs`: stop waits for what runs. Off by default in the library. */
  readonly stopWaits: boolean;
}

const BATCH_SIZE = 10;
const NO_CONTROL = { signal: null, confirm: async (): Promise<void> => {} };

/** sqs-consumer with as many instances of batch size ten as give the slots. */
export function sqsConsumer(name: string, variant: ConsumerVariant): Contender {
  return { name, start: (options) => start(options, variant) };
}

function start(options: ContenderOptions, variant: ConsumerVariant): RunningContender {
  const sqs = localSqs(options.arena);
  const watch = createWatch();
  watch.watch(sqs);
  const reported: string[] = [];
  const consumers: Consumer[] = [];
  for (let slots = options.slots; slots > 0; slots -= BATCH_SIZE) {
    const consumer = Consumer.create({
      queueUrl: options.queueUrl,
      sqs,
      batchSize: Math.min(slots, BATCH_SIZE),
      waitTimeSeconds: options.waitSeconds,
      visibilityTimeout: options.leaseSeconds,
      ...(variant.hasHeartbeat ? { heartbeatInterval: options.leaseSeconds / 3 } : {}),
      ...(variant.stopWaits ? { pollingCompleteWaitTimeMs: 60_000 } : {}),
      ...(options.jobLimitMs === null ? {} : { handleMessageTimeout: options.jobLimitMs }),
      ...handlers(options, variant),
    });
    consumer.on('message_processed', ({ MessageId = '' }: Message) => {
      reported.push(MessageId);
      options.onReported?.(MessageId);
    });
    // Without listeners an error event would end the process.
    for (const name of ['error', 'processing_error', 'timeout_error'] as const) consumer.on(name, () => {});
    consumers.push(consumer);
  }
  for (const consumer of consumers) consumer.start();
  return {
    watch,
    reported,
    stop: async (how, deadlineMs) => {
      await Promise.all(consumers.map((consumer) => stopOne(consumer, how, deadlineMs)));
    },
    close: () => {
      for (const consumer of consumers) consumer.stop({ abort: true });
      sqs.destroy();
    },
  };
}

function handlers(
  { handle }: ContenderOptions,
  { isBatch }: ConsumerVariant,
): Pick<Parameters<typeof Consumer.create>[0], 'handleMessage' | 'handleMessageBatch'> {
  if (!isBatch) {
    return {
      handleMessage: async (message) => {
        await handle(jobOf(message), NO_CONTROL);
        return message;
      },
    };
  }
  return {
    handleMessageBatch: async (messages) => {
      await Promise.all(messages.map(async (message) => await handle(jobOf(message), NO_CONTROL)));
      return messages;
    },
  };
}

function jobOf({ MessageId = '', Body = '{}' }: Message): ContenderJob {
  const { key } = JSON.parse(Body) as { key: string };
  return { messageId: MessageId, key };
}

/** It has no deadline for a stop: one that waits for longer goes on by itself. */
async function stopOne(consumer: Consumer, how: 'wait' | 'quick', deadlineMs: number): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    consumer.once('stopped', () => resolve());
  });
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, deadlineMs);
  consumer.stop(how === 'quick' ? { abort: true } : {});
  await Promise.race([stopped, deadline.promise]);
  clearTimeout(timer);
}
