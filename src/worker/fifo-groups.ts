export interface GroupPlace {
  /** Resolves when everything of the group that came before is over: whether this one may follow. Null: nothing is before it. */
  readonly turn: Promise<boolean> | null;
  /** This one is over; false holds the rest of the group back. Only the first call counts. */
  readonly leave: (mayFollow: boolean) => void;
}

/**
 * Ordered queues: one message of a group at a time, in the order of receipt; after one that went back the rest of its group goes
 * back unstarted, since running it would be out of order.
 */
export class FifoGroups {
  /** The end of the newest of each group; false after one that must hold its group back. */
  readonly #ends = new Map<string, Promise<boolean>>();

  enter(group: string): GroupPlace {
    const turn = this.#ends.get(group) ?? null;
    const { promise: end, resolve } = Promise.withResolvers<boolean>();
    this.#ends.set(group, end);
    return {
      turn,
      leave: (mayFollow) => {
        if (this.#ends.get(group) === end) this.#ends.delete(group);
        resolve(mayFollow);
      },
    };
  }
}
