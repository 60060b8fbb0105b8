import { bounded } from '../text/bounded.ts';
import type { DeadLetterReason } from './message-queue.ts';
import type { ReceivedMessage } from './received-message.ts';

const MAX_REASON = 500;

/** What a dead-letter copy says, by the names that operators look for in every backend. */
export interface DeadLetterFacts {
  readonly reason: Readonly<Record<'failure_class' | 'failure_code' | 'failure_reason', string>>;
  /** What identifies the message and the worker. */
  readonly context: Readonly<
    Record<
      'failure_attempt' | 'worker_version' | 'original_message_id' | 'first_received_at' | 'correlation_id',
      string
    >
  >;
}

export function deadLetterFacts(
  message: ReceivedMessage,
  { failure, workerVersion, correlationId }: DeadLetterReason,
): DeadLetterFacts {
  const { firstReceivedAt } = message;
  return {
    reason: {
      failure_class: failure.class,
      failure_code: failure.code,
      failure_reason: bounded(failure.message, MAX_REASON),
    },
    context: {
      failure_attempt: String(message.receiveCount),
      worker_version: workerVersion,
      original_message_id: message.messageId,
      first_received_at: firstReceivedAt === null ? 'unknown' : new Date(firstReceivedAt).toISOString(),
      correlation_id: correlationId,
    },
  };
}
