import type { MessageRun } from './message-run.ts';
import type { HeldMessage } from './settle-message.ts';

/** What is held here: what runs, what waits, and what is being settled. */
export class InFlight {
  readonly #held = new Set<HeldMessage>();
  /** By message. */
  readonly #runs = new Map<string, readonly MessageRun[]>();

  get runs(): readonly MessageRun[] {
    return [...this.#runs.values()].flat();
  }

  /** The runs, and messages that are no job. */
  get held(): readonly HeldMessage[] {
    return [...this.#held, ...this.runs];
  }

  /** Several where the lease of one was lost and its message has come again before it returned; the newest last. */
  ofMessage(messageId: string): readonly MessageRun[] {
    return this.#runs.get(messageId) ?? NONE;
  }

  /** A message of which it is not known yet whether it asks for work. */
  hold(held: HeldMessage): void {
    this.#held.add(held);
  }

  drop(held: HeldMessage): void {
    this.#held.delete(held);
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
