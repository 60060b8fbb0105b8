import type { MessageRun } from './message-run.ts';

/** What is held here: what runs, what waits, and what is being settled. */
export class InFlight {
  readonly #runs = new Set<MessageRun>();
  /** The newest of each message: one whose lease is lost may not have returned when its message comes again. */
  readonly #byMessage = new Map<string, MessageRun>();

  get runs(): readonly MessageRun[] {
    return [...this.#runs];
  }

  get size(): number {
    return this.#runs.size;
  }

  ofMessage(messageId: string): MessageRun | null {
    return this.#byMessage.get(messageId) ?? null;
  }

  add(run: MessageRun): void {
    this.#runs.add(run);
    this.#byMessage.set(run.message.messageId, run);
  }

  remove(run: MessageRun): void {
    this.#runs.delete(run);
    if (this.ofMessage(run.message.messageId) === run) this.#byMessage.delete(run.message.messageId);
  }
}
