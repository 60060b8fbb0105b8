import type { SQSClient } from '@aws-sdk/client-sqs';
import { Batcher } from './batcher.ts';
import { changeVisibility, deleteMessages, type EntryResult, type VisibilityEntry } from './sqs/batch-calls.ts';
import type { Clock } from '../time/clock.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { MAX_IN_FLIGHT_SECONDS, type Lease } from './lease.ts';

export interface SettlerOptions {
  readonly client: SQSClient;
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

/**
 * Ends a message's stay here: deleted under a live lease, or given back. The outcome of the job never depends on it, so
 * nothing here throws.
 */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #deletes = new Map<string, Batcher<string>>();
  readonly #visibilities = new Map<string, Batcher<VisibilityEntry>>();
  /** In order of insertion, the oldest is forgotten first. */
  readonly #remembered = new Set<string>();
  /** Leases whose work is done and whose delete has not ended: never given back, that would run the work again. */
  readonly #acknowledging = new Map<Lease, Promise<AcknowledgeResult>>();
  /** Wakes each delete that waits to be tried again. */
  readonly #waiting = new Set<() => void>();
  #isHurried = false;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Whether the work of this message is done and only its delete is missing. */
  isDone(messageId: string): boolean {
    return this.#remembered.has(messageId);
  }

  isAcknowledging(lease: Lease): boolean {
    return this.#acknowledging.has(lease);
  }

  /**
   * The process is about to end: deletes that wait to be tried again are tried once more now. What fails then stays
   * hidden until its lease runs out, and is recognised as done by whoever receives it. Resolves when all have ended.
   */
  async hurry(): Promise<void> {
    this.#isHurried = true;
    for (const wake of this.#waiting) wake();
    await Promise.all(this.#acknowledging.values());
  }

  async acknowledge(lease: Lease): Promise<AcknowledgeResult> {
    const work = this.#acknowledge(lease).finally(() => {
      this.#acknowledging.delete(lease);
    });
    this.#acknowledging.set(lease, work);
    return await work;
  }

  async #acknowledge(lease: Lease): Promise<AcknowledgeResult> {
    const { keeper } = this.#options;
    try {
      // On a standard queue a delete with an old handle answers 200 and deletes nothing: only a live lease is proof.
      await keeper.confirm(lease);
    } catch {
      return 'lost';
    }
    // The lease is renewed while deletes are tried again, so that nobody else starts the finished job.
    const result = await this.#deleteWithRetries(lease);
    await keeper.release(lease);
    return result;
  }

  async #deleteWithRetries(lease: Lease): Promise<AcknowledgeResult> {
    const { firstRetryMs = 200, random = Math.random } = this.#options;
    for (let attempt = 0; attempt < MAX_DELETE_ATTEMPTS; attempt += 1) {
      const isLast = this.#isHurried;
      const result = await this.#delete(lease.queueUrl, lease.receiptHandle);
      if (result.kind === 'ok') {
        this.#remembered.delete(lease.messageId);
        return 'deleted';
      }
      if (isLast || result.kind === 'gone' || lease.state === 'lost') break;
      const waitMs = firstRetryMs * 2 ** attempt * (0.5 + random());
      await this.#wait(waitMs);
    }
    this.#remember(lease.messageId);
    return 'remembered';
  }

  async #wait(ms: number): Promise<void> {
    if (this.#isHurried) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const cancel = this.#options.clock.after(ms, resolve);
    await promise;
    cancel();
    this.#waiting.delete(resolve);
  }

  /** Makes the message visible again after so many seconds. False: the call failed and the lease will run out instead. */
  async giveBack(lease: Lease, afterSeconds: number): Promise<boolean> {
    const { keeper, clock } = this.#options;
    // Released: it was given back already, and somebody else may have it.
    if (lease.state !== 'held') {
      await keeper.release(lease);
      return false;
    }
    await keeper.release(lease);
    const cap = lease.grantableSeconds(MAX_IN_FLIGHT_SECONDS, clock.now());
    const seconds = Math.max(0, Math.min(Math.round(afterSeconds), cap));
    const result = await this.#batcherOf(lease.queueUrl).add({ receiptHandle: lease.receiptHandle, seconds });
    return result.kind === 'ok';
  }

  /**
   * Gives many back at once, the latest of each FIFO group first: SQS hands a group out again from its first visible
   * message, so the other order could let a later one overtake. `leases` are in the order of receipt; those whose work is
   * done are left out.
   */
  async giveBackAll(leases: readonly Lease[]): Promise<number> {
    const reversed = leases.filter((lease) => !this.isAcknowledging(lease)).reverse();
    const results: boolean[] = [];
    const fifo = reversed.filter((lease) => lease.queueUrl.endsWith('.fifo'));
    const standard = reversed.filter((lease) => !lease.queueUrl.endsWith('.fifo'));
    const rest = Promise.all(standard.map((lease) => this.giveBack(lease, 0)));
    for (const lease of fifo) results.push(await this.giveBack(lease, 0));
    results.push(...(await rest));
    return results.filter(Boolean).length;
  }

  async #delete(queueUrl: string, receiptHandle: string): Promise<EntryResult> {
    const { client, lingerMs = 5, callTimeoutMs = 5_000 } = this.#options;
    let batcher = this.#deletes.get(queueUrl);
    if (batcher === undefined) {
      batcher = new Batcher((handles) => deleteMessages(client, queueUrl, handles, callTimeoutMs), lingerMs);
      this.#deletes.set(queueUrl, batcher);
    }
    return await batcher.add(receiptHandle);
  }

  #batcherOf(queueUrl: string): Batcher<VisibilityEntry> {
    const { client, lingerMs = 5, callTimeoutMs = 5_000 } = this.#options;
    let batcher = this.#visibilities.get(queueUrl);
    if (batcher === undefined) {
      batcher = new Batcher((entries) => changeVisibility(client, queueUrl, entries, callTimeoutMs), lingerMs);
      this.#visibilities.set(queueUrl, batcher);
    }
    return batcher;
  }

  #remember(messageId: string): void {
    this.#remembered.delete(messageId);
    this.#remembered.add(messageId);
    const oldest = this.#remembered.values().next().value;
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}
