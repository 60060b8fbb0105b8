type Close = () => unknown;

/**
 * Closes what was opened, last first, and every one of them even where another cannot be closed. Like the language's own
 * AsyncDisposableStack, which Node 22 does not have.
 */
export class ClosingStack implements AsyncDisposable {
  #closings: Close[] = [];

  /** Takes what was opened, and gives it back for use. */
  add<T>(opened: T, close: (opened: T) => unknown): T {
    this.#closings.push(() => close(opened));
    return opened;
  }

  /** Hands everything on, so that leaving the scope of this one closes nothing. */
  move(): ClosingStack {
    const heir = new ClosingStack();
    heir.#closings = this.#closings;
    this.#closings = [];
    return heir;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#closings.pop(); close !== undefined; close = this.#closings.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    // The first of them decides what kind of failure it is.
    if (errors.length > 1) throw new AggregateError(errors, 'several parts did not close', { cause: errors[0] });
  }
}
