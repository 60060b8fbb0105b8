import type { Clock } from '../time/clock.ts';
import { Lease, type Receipt } from './lease.ts';
import type { EntryResult, MessageQueue } from './message-queue.ts';
import type { ReceivedMessage } from './received-message.ts';

export interface LeaseKeeperOptions {
  readonly clock: Clock;
  readonly visibilitySeconds: number;
  readonly random?: () => number;
  readonly onEvent?: (event: LeaseEvent) => void;
}

export type LeaseEvent =
  | { readonly kind: 'renewed'; readonly lease: Lease }
  | { readonly kind: 'renewal-failed'; readonly lease: Lease; readonly error: string }
  /** A timer came so late that the deadline had passed: the process was frozen or the event loop blocked. */
  | { readonly kind: 'gap'; readonly lease: Lease; readonly lateMs: number }
  | { readonly kind: 'lost'; readonly lease: Lease; readonly why: string };

const JITTER = 0.15;
const MAX_MARGIN_MS = 5_000;
const MAX_CALL_MS = 4_000;
const FIRST_RETRY_MS = 500;

/**
 * One scheduler that keeps every held lease alive: due at a third of the visibility timeout with jitter, renewed in batches
 * as large as the queue takes, retried with backoff until its deadline less a margin, given up as lost after that or at once when the
 * queue says that the message is not ours. It goes on through a drain until each lease is released.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #random: () => number;
  readonly #held = new Set<Lease>();
  #cancelTimer: (() => void) | null = null;
  #timerAt = Infinity;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** How long a lease lasts without a renewal. */
  get leaseMs(): number {
    return this.#options.visibilitySeconds * 1_000;
  }

  get marginMs(): number {
    return Math.min(MAX_MARGIN_MS, this.#options.visibilitySeconds * 250);
  }

  /** False while any renewal is failing: then no new work should be taken. */
  get isHealthy(): boolean {
    for (const lease of this.#held) if (lease.failures > 0) return false;
    return true;
  }

  /** How long the most overdue renewal has been waiting for its call; zero when none is. */
  get lateMs(): number {
    const now = this.#options.clock.now();
    let late = 0;
    for (const lease of this.#held) if (lease.renewing === null) late = Math.max(late, now - lease.renewAt);
    return late;
  }

  get held(): readonly Lease[] {
    return [...this.#held];
  }

  /** From the receive on, not from the start of the job: a message ages while it waits here too. */
  register(
    queue: MessageQueue,
    message: Pick<ReceivedMessage, 'messageId' | 'receiptHandle'> & Partial<Pick<ReceivedMessage, 'groupId'>>,
    requestedAt: number,
  ): Lease {
    const lease = new Lease(queue, message, this.#receipt(message.receiptHandle, requestedAt));
    this.#held.add(lease);
    this.#plan(lease, lease.receivedAt);
    return lease;
  }

  /** A redelivery of the message: its newer receive is the one that counts. */
  adopt(lease: Lease, receiptHandle: string, requestedAt: number): void {
    lease.adopt(this.#receipt(receiptHandle, requestedAt));
    this.#plan(lease, lease.receivedAt);
  }

  #receipt(receiptHandle: string, requestedAt: number): Receipt {
    return { receiptHandle, requestedAt, visibilitySeconds: this.#options.visibilitySeconds };
  }

  /**
   * The fence before a commit and before a delete: resolves when the queue has granted the lease a moment ago, asks it otherwise,
   * rejects with `Interruption('lease-lost')` when the lease is lost or was given back.
   * A local deadline in the future is no proof: somebody may have deleted or taken the message.
   */
  async confirm(lease: Lease): Promise<void> {
    lease.throwIfEnded();
    const now = this.#options.clock.now();
    const freshMs = Math.min(MAX_MARGIN_MS, (this.#options.visibilitySeconds * 1_000) / 6);
    if (now - lease.confirmedAt <= freshMs && now < lease.deadline - this.marginMs) return;
    if (lease.renewing !== null) await lease.renewing;
    const grant = lease.nextGrant();
    lease.renewAt = now;
    this.#schedule();
    await grant;
  }

  /**
   * Ends the renewals of a lease and waits for the one under way: a late one would hide a message again that has just
   * been given back.
   */
  async release(lease: Lease): Promise<void> {
    lease.release();
    this.#held.delete(lease);
    if (lease.renewing !== null) await lease.renewing;
    // A timer that comes too early for the others looks again: that is rarer than the end of a message.
    if (this.#held.size === 0) this.stop();
  }

  /** Gives a lease up after a call elsewhere (a delete) learned that it is gone. */
  lose(lease: Lease, why: string): void {
    this.#held.delete(lease);
    if (lease.state !== 'held') return;
    lease.lose(why);
    this.#options.onEvent?.({ kind: 'lost', lease, why });
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#timerAt = Infinity;
  }

  #plan(lease: Lease, from: number): void {
    const third = (this.#options.visibilitySeconds * 1_000) / 3;
    lease.renewAt = from + third * (1 - JITTER + 2 * JITTER * this.#random());
    if (lease.renewing === null) this.#wakeBy(lease.renewAt);
  }

  #schedule(): void {
    let next = Infinity;
    for (const lease of this.#held) if (lease.renewing === null) next = Math.min(next, lease.renewAt);
    if (next === this.#timerAt) return;
    this.stop();
    this.#wakeBy(next);
  }

  /** No later than at `time`. */
  #wakeBy(time: number): void {
    if (time >= this.#timerAt) return;
    this.stop();
    this.#timerAt = time;
    this.#cancelTimer = this.#options.clock.after(Math.max(0, time - this.#options.clock.now()), () => {
      this.#timerAt = Infinity;
      this.#tick();
    });
  }

  /** The timer may be that of a lease which has ended. */
  #isAnyDue(now: number): boolean {
    for (const lease of this.#held) if (lease.renewing === null && lease.renewAt <= now) return true;
    return false;
  }

  #tick(): void {
    const now = this.#options.clock.now();
    if (!this.#isAnyDue(now)) {
      this.#schedule();
      return;
    }
    // Renewing what is due soon in the same call saves calls and costs nothing.
    const soon = now + (this.#options.visibilitySeconds * 1_000) / 15;
    const due = new Map<MessageQueue, Lease[]>();
    for (const lease of this.#held) {
      if (lease.renewing !== null || lease.renewAt > soon) continue;
      if (now > lease.deadline) this.#options.onEvent?.({ kind: 'gap', lease, lateMs: now - lease.deadline });
      if (lease.grantableSeconds(this.#options.visibilitySeconds, now) <= 0) {
        this.#atCap(lease, now);
        continue;
      }
      const group = due.get(lease.queue) ?? [];
      group.push(lease);
      due.set(lease.queue, group);
    }
    for (const [queue, leases] of due) {
      const { batch } = queue.limits;
      for (let start = 0; start < leases.length; start += batch) {
        this.#startBatch(queue, leases.slice(start, start + batch));
      }
    }
    this.#schedule();
  }

  /** Nothing more can be had from the queue: the job may use what is left and is aborted a margin before the end. */
  #atCap(lease: Lease, now: number): void {
    const end = lease.deadline - this.marginMs;
    const hours = lease.queue.limits.inFlightSeconds / 3_600;
    if (now >= end) this.lose(lease, `a message can be in flight for ${hours} hours at most`);
    else lease.renewAt = end;
  }

  #startBatch(queue: MessageQueue, leases: readonly Lease[]): void {
    const batch = this.#renew(queue, leases).finally(() => {
      for (const lease of leases) lease.renewing = null;
      this.#schedule();
    });
    for (const lease of leases) lease.renewing = batch;
  }

  async #renew(queue: MessageQueue, leases: readonly Lease[]): Promise<void> {
    const { clock, visibilitySeconds } = this.#options;
    // The new deadline counts from before the call: the server cannot have begun earlier.
    const from = clock.now();
    const entries = leases.map((lease) => ({
      receiptHandle: lease.receiptHandle,
      seconds: lease.grantableSeconds(visibilitySeconds, from),
    }));
    const timeoutMs = Math.max(400, Math.min(MAX_CALL_MS, this.marginMs * 0.9));
    const results = await queue.extend(entries, timeoutMs);
    for (const [index, lease] of leases.entries()) {
      const result = results[index] ?? { kind: 'failed', code: 'NoResult', message: 'the answer is too short' };
      const entry = entries[index];
      // A handle that was replaced meanwhile says nothing about the new one.
      if (lease.state !== 'held' || entry === undefined || entry.receiptHandle !== lease.receiptHandle) continue;
      this.#apply(lease, result, from, entry.seconds);
    }
  }

  #apply(lease: Lease, result: EntryResult, from: number, seconds: number): void {
    if (result.kind === 'ok') {
      lease.granted(from, seconds);
      this.#plan(lease, from);
      this.#options.onEvent?.({ kind: 'renewed', lease });
      return;
    }
    const error = `${result.code}: ${result.message}`;
    if (result.kind === 'gone') {
      this.lose(lease, error);
      return;
    }
    lease.failures += 1;
    this.#options.onEvent?.({ kind: 'renewal-failed', lease, error });
    const now = this.#options.clock.now();
    const end = lease.deadline - this.marginMs;
    if (now >= end) {
      this.lose(lease, `no renewal before its deadline, the last answer was ${error}`);
      return;
    }
    const base = Math.min(FIRST_RETRY_MS, (this.#options.visibilitySeconds * 1_000) / 12);
    const backoff = base * 2 ** (lease.failures - 1) * (0.5 + this.#random());
    lease.renewAt = Math.min(now + Math.min(backoff, this.marginMs), end);
  }
}
