/**
 * Ordered queues: one message of a group at a time, in the order of receipt; after one that was not settled the rest of its group goes
 * back unstarted, since running it would be out of order.
 */
export class FifoGroups {
  /** The end of the newest run of each group; false after a run that must hold its group back. */
  readonly #ends = new Map<string, Promise<boolean>>();

  /** `run` tells whether the next of the group may follow it. */
  async inOrder(group: string, run: () => Promise<boolean>, giveBack: () => Promise<unknown>): Promise<void> {
    const before = this.#ends.get(group) ?? Promise.resolve(true);
    const end = before.then(async (mayRun) => {
      if (mayRun) return await run();
      await giveBack();
      return false;
    });
    this.#ends.set(group, end);
    await end;
    if (this.#ends.get(group) === end) this.#ends.delete(group);
  }
}
