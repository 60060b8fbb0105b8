import type { MessageRun } from './message-run.ts';

/**
 * What runs here, by message and by object. By object it is bucket and key alone: one upload is told in several forms of
 * message, and only some of them know the version or the ETag.
 */
export class InFlight {
  readonly #byMessage = new Map<string, MessageRun>();
  readonly #byObject = new Map<string, MessageRun>();

  get runs(): readonly MessageRun[] {
    return [...this.#byMessage.values()];
  }

  get size(): number {
    return this.#byMessage.size;
  }

  ofMessage(messageId: string): MessageRun | null {
    return this.#byMessage.get(messageId) ?? null;
  }

  /** Whether one of the run's objects is worked on by another message here. */
  hasObjectOf(run: MessageRun): boolean {
    return run.objects.some((object) => this.#byObject.has(object));
  }

  add(run: MessageRun): void {
    this.#byMessage.set(run.message.messageId, run);
    for (const object of run.objects) this.#byObject.set(object, run);
  }

  remove(run: MessageRun): void {
    this.#byMessage.delete(run.message.messageId);
    for (const object of run.objects) {
      if (this.#byObject.get(object) === run) this.#byObject.delete(object);
    }
  }
}
