import type { EntryResult, MessageQueue, VisibilityEntry } from '../message-queue.ts';
import { changeVisibility, classifyCallError, deleteMessages } from './batch-calls.ts';
import { sendToDeadLetter } from './dead-letter.ts';
import { receiveMessages } from './receive.ts';
import type { SqsClients } from './sqs-client.ts';

export interface SqsQueueAddress {
  readonly url: string;
  /** Null: rejected messages are left to the queue's redrive policy. */
  readonly deadLetterUrl: string | null;
  /** What its redrive policy says now. */
  readonly redrive: { readonly maxReceives: number | null };
}

/** Ten entries a call; one receive of a message is in flight for twelve hours at most. Amazon SQS Developer Guide, "message quotas". */
const LIMITS = { batch: 10, inFlightSeconds: 43_200 } as const;

/** An SQS queue, standard or FIFO. The clients belong to the caller, who closes them after the last call. */
export function createSqsQueue(clients: SqsClients, { url, deadLetterUrl, redrive }: SqsQueueAddress): MessageQueue {
  const { poll, control } = clients;
  const setVisibility = (entries: readonly VisibilityEntry[], timeoutMs: number): Promise<readonly EntryResult[]> =>
    perEntry(entries.length, changeVisibility(control, url, entries, timeoutMs));
  return {
    id: url,
    isOrdered: url.endsWith('.fifo'),
    limits: LIMITS,
    get maxReceives() {
      return redrive.maxReceives;
    },
    receive: (request) => receiveMessages(poll, url, request),
    extend: setVisibility,
    acknowledge: (handles, timeoutMs) => perEntry(handles.length, deleteMessages(control, url, handles, timeoutMs)),
    giveBack: setVisibility,
    deadLetter:
      deadLetterUrl === null ? null : (message, reason) => sendToDeadLetter(control, deadLetterUrl, message, reason),
  };
}

/** A call that failed as a whole is the result of each of its entries. */
async function perEntry(count: number, call: Promise<readonly EntryResult[]>): Promise<readonly EntryResult[]> {
  try {
    return await call;
  } catch (error) {
    const result = classifyCallError(error);
    return Array.from({ length: count }, () => result);
  }
}
