import { Interruption } from '../failure/failure.ts';
import type { MessageQueue } from './message-queue.ts';

/** So that a call which asks for the last seconds of a receive still arrives before its end. */
const CAP_MARGIN_SECONDS = 5;

/** One receive of a message. */
export interface Receipt {
  readonly receiptHandle: string;
  /** Monotonic milliseconds at which the receive call left. */
  readonly requestedAt: number;
  readonly visibilitySeconds: number;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: Interruption) => void;
}

/**
 * The right to work on one message, until a deadline that each renewal moves.
 *
 * held: renewed by the keeper. Left for lost when the queue says so or when no renewal arrived before the deadline, for
 * released when the message is settled or given back.
 * lost: `signal` has fired with `Interruption('lease-lost')`; nothing may be committed or deleted any more. Final, except that
 * a fresh delivery of the same message begins a new lease.
 * released: renewals have ended on purpose; the signal never fires.
 *
 * Every time is on the monotonic clock of the keeper.
 */
export class Lease {
  readonly queue: MessageQueue;
  readonly messageId: string;
  /** Ordered queues only. */
  readonly groupId: string | null;
  receiptHandle: string;
  deadline: number;
  /** Counted from the call that brought the message: the queue's limit for one receive runs from there. */
  receivedAt: number;
  /** When the queue last said that the message is ours. */
  confirmedAt: number;
  renewAt = 0;
  failures = 0;
  /** The call that is under way for this lease; no second one starts before it ends. */
  renewing: Promise<void> | null = null;
  #state: 'held' | 'lost' | 'released' = 'held';
  /** Made for who asks: most messages come and go without. */
  #controller: AbortController | null = null;
  #onLoss: (reason: Interruption) => void = ignoreLoss;
  #waiters: Waiter[] = [];
  /** Why it was lost. */
  #loss: Interruption | null = null;

  constructor(
    queue: MessageQueue,
    message: { readonly messageId: string; readonly groupId?: string | null },
    receipt: Receipt,
  ) {
    this.queue = queue;
    this.messageId = message.messageId;
    this.groupId = message.groupId ?? null;
    this.receiptHandle = receipt.receiptHandle;
    this.receivedAt = receipt.requestedAt;
    this.confirmedAt = receipt.requestedAt;
    // The lease began somewhere between the call and its answer: the earlier end is the safe one.
    this.deadline = receipt.requestedAt + receipt.visibilitySeconds * 1_000;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#loss !== null) this.#controller.abort(this.#loss);
    }
    return this.#controller.signal;
  }

  /** Has the one that works on the message told of its loss, before the signal fires. The latest call counts. */
  onLoss(work: (reason: Interruption) => void): void {
    this.#onLoss = work;
  }

  get state(): 'held' | 'lost' | 'released' {
    return this.#state;
  }

  /** Takes over the handle of a redelivery of the same message: only the newest one is sure to work. */
  adopt(receipt: Receipt): void {
    this.receiptHandle = receipt.receiptHandle;
    this.receivedAt = receipt.requestedAt;
    this.confirmedAt = receipt.requestedAt;
    this.deadline = receipt.requestedAt + receipt.visibilitySeconds * 1_000;
    this.failures = 0;
  }

  /** Whole seconds that a renewal may ask for now; zero or less once the queue's limit for one receive is used up. */
  grantableSeconds(visibilitySeconds: number, now: number): number {
    const left = this.queue.limits.inFlightSeconds - CAP_MARGIN_SECONDS - (now - this.receivedAt) / 1_000;
    return Math.min(visibilitySeconds, Math.floor(left));
  }

  /** Resolves with the next renewal that the queue grants, rejects when the lease is lost or released before. */
  nextGrant(): Promise<void> {
    const end = this.#end();
    if (end !== null) return Promise.reject(end);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  granted(from: number, seconds: number): void {
    this.failures = 0;
    this.confirmedAt = from;
    this.deadline = from + seconds * 1_000;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  lose(why: string): void {
    if (this.#state !== 'held') return;
    this.#state = 'lost';
    this.#loss = new Interruption('lease-lost', `the lease of message ${this.messageId} is lost: ${why}`);
    this.#onLoss(this.#loss);
    this.#controller?.abort(this.#loss);
    this.#rejectWaiters(this.#loss);
  }

  release(): void {
    if (this.#state !== 'held') return;
    this.#state = 'released';
    if (this.#waiters.length === 0) return;
    const end = this.#end();
    if (end !== null) this.#rejectWaiters(end);
  }

  throwIfEnded(): void {
    const end = this.#end();
    if (end !== null) throw end;
  }

  /** Every message ends its lease: its error, with a stack, is made only for one who asks. */
  #end(): Interruption | null {
    if (this.#state === 'held') return null;
    return this.#loss ?? new Interruption('lease-lost', `message ${this.messageId} is settled or given back`);
  }

  #rejectWaiters(reason: Interruption): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(reason);
  }
}

function ignoreLoss(): void {}
