import { Batcher } from './batcher.ts';
import type { Clock } from '../time/clock.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { Lease } from './lease.ts';
import type { EntryResult, MessageQueue, VisibilityEntry } from './message-queue.ts';

export interface SettlerOptions {
  readonly keeper: LeaseKeeper;
  readonly clock: Clock;
  /** How long a delete waits for others to share its call. */
  readonly lingerMs?: number;
  readonly callTimeoutMs?: number;
  readonly firstRetryMs?: number;
  readonly random?: () => number;
}

export type AcknowledgeResult =
  | 'deleted'
  /** The work is done but the delete did not come through: a redelivery is deleted without work. */
  | 'remembered'
  /** The message is not ours any more; whoever has it now decides. */
  | 'lost';

const MAX_REMEMBERED = 1_000;
const MAX_DELETE_ATTEMPTS = 6;
const MAX_RETRY_MS = 5_000;
/** Given up, the end of a message sends the rest of its group back, each at the cost of a receive: an outage must be longer than that. */
const ORDERED_PATIENCE_MS = 900_000;
/** What a process that ends may spend on giving back: the queue may be away for a moment, or for good. */
const HURRIED_MS = 8_000;

/**
 * Ends a message's stay here: deleted under a live lease, or given back. The outcome of the job never depends on it, so
 * nothing here throws.
 */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #deletes = new Map<MessageQueue, Batcher<string>>();
  readonly #returns = new Map<MessageQueue, Batcher<VisibilityEntry>>();
  /** In order of insertion, the oldest is forgotten first. */
  readonly #remembered = new Set<string>();
  /** Leases whose work is done and whose delete has not ended: never given back, that would run the work again. */
  readonly #acknowledging = new Map<Lease, Promise<AcknowledgeResult>>();
  /** Leases whose copy with a reason is being sent: never handed back beside it. */
  readonly #copying = new Map<Lease, Promise<void>>();
  /** Wakes each call that waits to be tried again. */
  readonly #waiting = new Set<() => void>();
  #isHurried = false;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Whether the work of this message is done and only its delete is missing. */
  isDone(messageId: string): boolean {
    return this.#remembered.has(messageId);
  }

  /** Whether its end is under way, in a delete or in a copy with its reason: it must not be handed back beside that. */
  isSettling(lease: Lease): boolean {
    return this.#acknowledging.has(lease) || this.#copying.has(lease);
  }

  /**
   * The process is about to end: what waits to be tried again is tried once more now. What fails then stays
   * hidden until its lease runs out, and is recognised as done by whoever receives it. Resolves when all have ended.
   */
  async hurry(): Promise<void> {
    this.#isHurried = true;
    for (const wake of this.#waiting) wake();
    await Promise.allSettled([...this.#acknowledging.values(), ...this.#copying.values()]);
  }

  acknowledge(lease: Lease): Promise<AcknowledgeResult> {
    const work = this.#acknowledge(lease);
    this.#acknowledging.set(lease, work);
    return work;
  }

  async #acknowledge(lease: Lease): Promise<AcknowledgeResult> {
    const { keeper } = this.#options;
    try {
      // A delete with an old handle can answer that all is well and delete nothing: only a live lease is proof.
      if (!(await isConfirmed(keeper, lease))) return 'lost';
      // The lease is renewed while deletes are tried again, so that nobody else starts the finished job.
      const result = await this.#deleteWithRetries(lease);
      await keeper.release(lease);
      return result;
    } finally {
      this.#acknowledging.delete(lease);
    }
  }

  async #deleteWithRetries(lease: Lease): Promise<AcknowledgeResult> {
    const end = this.#options.clock.now() + ORDERED_PATIENCE_MS;
    const isTriedOn = (attempt: number): boolean =>
      attempt < MAX_DELETE_ATTEMPTS || (lease.queue.isOrdered && this.#options.clock.now() < end);
    for (let attempt = 0; isTriedOn(attempt); attempt += 1) {
      const isLast = this.#isHurried;
      const { receiptHandle } = lease;
      const result = await this.#delete(lease.queue, receiptHandle);
      // Received again meanwhile: what an older handle is told says nothing of the message.
      if (receiptHandle !== lease.receiptHandle) continue;
      if (result.kind === 'ok') {
        this.#remembered.delete(lease.messageId);
        return 'deleted';
      }
      if (isLast || result.kind === 'gone' || lease.state === 'lost') break;
      await this.#wait(this.#backoffMs(attempt));
    }
    this.remember(lease.messageId);
    return 'remembered';
  }

  async #wait(ms: number, alsoHurried = false): Promise<void> {
    if (this.#isHurried && !alsoHurried) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const cancel = this.#options.clock.after(ms, resolve);
    await promise;
    cancel();
    this.#waiting.delete(resolve);
  }

  /** Milliseconds for which the copy of a message is tried again while its lease lives. */
  patienceMs({ queue }: Lease): number {
    const { leaseMs } = this.#options.keeper;
    return queue.isOrdered ? Math.max(leaseMs, ORDERED_PATIENCE_MS) : leaseMs;
  }

  /**
   * Does what the end of a message depends on again until it succeeds, while its lease lives and for `forMs` at most; rejects as the last
   * attempt did. A process that is about to end tries once more.
   */
  async insist(lease: Lease, forMs: number, work: () => Promise<void>): Promise<void> {
    const copy = this.#insist(lease, forMs, work).finally(() => {
      this.#copying.delete(lease);
    });
    this.#copying.set(lease, copy);
    await copy;
  }

  async #insist(lease: Lease, forMs: number, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#options;
    const end = clock.now() + forMs;
    for (let attempt = 0; ; attempt += 1) {
      const isLast = this.#isHurried;
      const waitMs = this.#backoffMs(attempt);
      try {
        await work();
        return;
      } catch (error) {
        if (isLast || lease.state !== 'held' || clock.now() + waitMs > end) throw error;
      }
      await this.#wait(waitMs);
    }
  }

  /**
   * Makes the message visible again after so many seconds: tried again for as long as the lease lasts, or the process, since the message
   * stays hidden otherwise. False: it was not ours any more, or nothing came through and the lease runs out instead.
   */
  async giveBack(lease: Lease, afterSeconds: number): Promise<boolean> {
    const { keeper, clock } = this.#options;
    // Released: it was given back already, and somebody else may have it.
    if (lease.state !== 'held') {
      await keeper.release(lease);
      return false;
    }
    await keeper.release(lease);
    const startedAt = clock.now();
    for (let attempt = 0; ; attempt += 1) {
      const now = clock.now();
      const cap = lease.grantableSeconds(lease.queue.limits.inFlightSeconds, now);
      const seconds = Math.max(0, Math.min(Math.round(afterSeconds - (now - startedAt) / 1_000), cap));
      const result = await this.#return(lease.queue, { receiptHandle: lease.receiptHandle, seconds });
      // Gone after a call without an answer: that one had come through.
      if (result.kind !== 'failed') return result.kind === 'ok' || attempt > 0;
      const waitMs = this.#backoffMs(attempt);
      const end = this.#isHurried ? Math.min(lease.deadline, startedAt + HURRIED_MS) : lease.deadline;
      if (clock.now() + waitMs >= end) return false;
      await this.#wait(waitMs, true);
    }
  }

  #backoffMs(attempt: number): number {
    const { firstRetryMs = 200, random = Math.random } = this.#options;
    return Math.min(firstRetryMs * 2 ** attempt, MAX_RETRY_MS) * (0.5 + random());
  }

  /**
   * Gives many back at once, the latest of each group first: an ordered queue hands a group out again from its first visible
   * message, so the other order could let a later one overtake. `leases` are in the order of receipt; those whose work is
   * done are left out.
   */
  async giveBackAll(leases: readonly Lease[]): Promise<number> {
    const reversed = leases.filter((lease) => !this.isSettling(lease)).reverse();
    const oneByOne = async (group: readonly Lease[]): Promise<number> => {
      let count = 0;
      for (const lease of group) if (await this.giveBack(lease, 0)) count += 1;
      return count;
    };
    // Groups beside each other: one after another, a queue that does not answer would cost each of them its time.
    const groups = Map.groupBy(reversed, (lease) =>
      lease.queue.isOrdered ? JSON.stringify([lease.queue.id, lease.groupId]) : lease,
    );
    const counts = await Promise.all([...groups.values()].map(oneByOne));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #delete(queue: MessageQueue, receiptHandle: string): Promise<EntryResult> {
    const { callTimeoutMs = 5_000 } = this.#options;
    const batcher = this.#batcherOf(this.#deletes, queue, (handles) => queue.acknowledge(handles, callTimeoutMs));
    return await batcher.add(receiptHandle);
  }

  async #return(queue: MessageQueue, entry: VisibilityEntry): Promise<EntryResult> {
    const { callTimeoutMs = 5_000 } = this.#options;
    const batcher = this.#batcherOf(this.#returns, queue, (entries) => queue.giveBack(entries, callTimeoutMs));
    return await batcher.add(entry);
  }

  #batcherOf<T>(
    batchers: Map<MessageQueue, Batcher<T>>,
    queue: MessageQueue,
    run: (items: readonly T[]) => Promise<readonly EntryResult[]>,
  ): Batcher<T> {
    const { clock, lingerMs = 5 } = this.#options;
    const batcher = batchers.get(queue) ?? new Batcher({ clock, run, limit: queue.limits.batch, lingerMs });
    batchers.set(queue, batcher);
    return batcher;
  }

  /** The work of this message is done, and its delete did not come through. */
  remember(messageId: string): void {
    this.#remembered.delete(messageId);
    this.#remembered.add(messageId);
    const oldest = this.#remembered.values().next().value;
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

async function isConfirmed(keeper: LeaseKeeper, lease: Lease): Promise<boolean> {
  try {
    await keeper.confirm(lease);
    return true;
  } catch {
    return false;
  }
}
