import type { Job } from '../queue/messages/job.ts';
import type { MessageQueue } from '../queue/message-queue.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
import type { Disposition } from '../failure/disposition.ts';
import type { ReceiveFacts } from '../failure/receipt.ts';

/** One job of one received message, with the part of its lease that a job run may touch. */
export interface Delivery extends ReceiveFacts {
  readonly job: Job;
  readonly messageId: string;
  readonly correlationId: string;
  /** It has waited under its lease since its first run, perhaps many times. */
  readonly isAgain?: boolean;
  /** Fence before a commit: resolves when the lease is certainly held, rejects with `Interruption('lease-lost')`. */
  confirmLease(): Promise<void>;
}

/**
 * Runs one job to its disposition; never throws its outcome. `signal` joins lease loss, job deadline and shutdown,
 * with an `Interruption` as its reason.
 */
export type ProcessJob = (delivery: Delivery, signal: AbortSignal) => Promise<Disposition>;

/** `failedHere`: failures under this lease, which the queue does not count. */
export function receiveFacts(
  queue: MessageQueue,
  { receiveCount }: Pick<ReceivedMessage, 'receiveCount'>,
  failedHere = 0,
): ReceiveFacts {
  const { maxReceives } = queue;
  const isLast = (count: number): boolean => maxReceives !== null && count >= maxReceives;
  const tries = receiveCount + failedHere;
  return { receiveCount: tries, isLastReceive: isLast(receiveCount), isLastTry: isLast(tries) };
}
