import type { MessageQueue } from '../queue/message-queue.ts';
import type { Arrival } from './arrival.ts';
import type { MessageRun } from './message-run.ts';
import type { HeldMessage } from './settle-message.ts';

/** What is held here: what runs, what waits, and what is being settled. */
export class InFlight {
  /** Everything that was received and is not over. */
  readonly #arrivals = new Set<Arrival>();
  /** By message. */
  readonly #runs = new Map<string, readonly MessageRun[]>();

  get runs(): readonly MessageRun[] {
    return [...this.#runs.values()].flat();
  }

  /** The runs, and messages that are no job, in the order of their receipt. */
  get held(): readonly HeldMessage[] {
    const runs = new Map(this.runs.map((run) => [run.lease, run]));
    return [...this.#arrivals].map((arrival) => runs.get(arrival.lease) ?? arrival);
  }

  /** The arrival of a message whose lease is still ours, so that a later receive of it is the same work; null: there is none. */
  leased(queue: MessageQueue, messageId: string): Arrival | null {
    for (const arrival of this.#arrivals) {
      const { lease } = arrival;
      if (lease.messageId === messageId && lease.queue === queue && lease.state === 'held') return arrival;
    }
    return null;
  }

  /** Several where the lease of one was lost and its message has come again before it returned; the newest last. */
  ofMessage(messageId: string): readonly MessageRun[] {
    return this.#runs.get(messageId) ?? NONE;
  }

  hold(arrival: Arrival): void {
    this.#arrivals.add(arrival);
  }

  drop(arrival: Arrival): void {
    this.#arrivals.delete(arrival);
  }

  add(run: MessageRun): void {
    const { messageId } = run.message;
    this.#runs.set(messageId, [...this.ofMessage(messageId), run]);
  }

  remove(run: MessageRun): void {
    const { messageId } = run.message;
    const others = this.ofMessage(messageId).filter((other) => other !== run);
    if (others.length === 0) this.#runs.delete(messageId);
    else this.#runs.set(messageId, others);
  }
}

const NONE: readonly MessageRun[] = [];
