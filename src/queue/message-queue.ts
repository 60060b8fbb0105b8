import type { Failure } from '../failure/failure.ts';
import type { ReceivedMessage } from './received-message.ts';

export interface ReceiveRequest {
  /** 1 to the queue's batch limit. */
  readonly maxMessages: number;
  /** How long the queue may wait for the first message. */
  readonly waitSeconds: number;
  /** How long what is received stays hidden from others. */
  readonly visibilitySeconds: number;
}

/** What one entry of a batch came to: a call that was answered can still have failed for some. */
export type EntryResult =
  | { readonly kind: 'ok' }
  /** The message is not ours any more; trying again changes nothing. */
  | { readonly kind: 'gone'; readonly code: string; readonly message: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface VisibilityEntry {
  readonly receiptHandle: string;
  /** Counted from the call, not added to what is left. */
  readonly seconds: number;
}

export interface DeadLetterReason {
  readonly failure: Failure;
  readonly workerVersion: string;
  readonly correlationId: string;
}

export interface QueueLimits {
  /** Messages in one receive, entries in one call. */
  readonly batch: number;
  /** How long one receive of a message can stay hidden, however often it is extended; also the longest delay. */
  readonly inFlightSeconds: number;
}

/**
 * One queue of messages that are handed out at least once and stay hidden while somebody works on them. This is all that the engine
 * knows of a queue; `test/integration/queue/conformance` holds every backend to it.
 *
 * `extend`, `acknowledge` and `giveBack` answer with one result per entry, in order, and never reject: a call that fails as a whole,
 * or takes longer than its limit, is the result of each of its entries.
 */
export interface MessageQueue {
  /** The same for the same queue, different for others: for logs, and to keep groups of different queues apart. */
  readonly id: string;
  /** Messages of one group are handed out one after another. */
  readonly isOrdered: boolean;
  readonly limits: QueueLimits;
  /** After so many receives the queue itself moves a message away, without a reason; null: never. */
  readonly maxReceives: number | null;
  /**
   * One long poll. It takes no signal on purpose: an aborted poll swallows the message that the queue is just handing over, so it runs
   * to its end, and whoever stops gives back what it brings. Rejects when the queue cannot be asked.
   */
  receive(request: ReceiveRequest): Promise<readonly ReceivedMessage[]>;
  /** Keeps messages hidden for so many seconds from now. */
  extend(entries: readonly VisibilityEntry[], timeoutMs: number): Promise<readonly EntryResult[]>;
  /** Takes messages out of the queue for good. With the handle of an older receive the answer may be `ok` and the message stay. */
  acknowledge(receiptHandles: readonly string[], timeoutMs: number): Promise<readonly EntryResult[]>;
  /** Makes messages visible to others after so many seconds. */
  giveBack(entries: readonly VisibilityEntry[], timeoutMs: number): Promise<readonly EntryResult[]>;
  /**
   * Puts a copy with the reason where a person finds it; the original stays. Rejects when that failed. Null: no such place is known, and
   * the queue's own policy has to take a message that comes back too often.
   */
  readonly deadLetter: ((message: ReceivedMessage, reason: DeadLetterReason) => Promise<void>) | null;
}
