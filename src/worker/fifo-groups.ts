export interface GroupPlace {
  /** Resolves when everything of the group that came before is over: whether this one may follow. Null: nothing is before it. */
  readonly turn: Promise<boolean> | null;
  /** This one is over; false holds back those behind it. Only the first call counts. */
  readonly leave: (mayFollow: boolean) => void;
}

interface Entry {
  readonly before: Set<Entry>;
  readonly decide: (mayFollow: boolean) => void;
}

/**
 * Ordered queues: one message of a group at a time, in the order of receipt; after one that did not leave the queue the rest of its group
 * goes back unstarted, since running it would be out of order. A place that is given up early moves nobody past those before it.
 */
export class FifoGroups {
  /** Who has not left yet, in the order of receipt. */
  readonly #groups = new Map<string, Set<Entry>>();

  enter(group: string): GroupPlace {
    const entries = this.#groups.get(group) ?? new Set<Entry>();
    this.#groups.set(group, entries);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const entry: Entry = { before: new Set(entries), decide: resolve };
    entries.add(entry);
    return {
      turn: entry.before.size === 0 ? null : promise,
      leave: (mayFollow) => {
        if (!entries.delete(entry)) return;
        if (entries.size === 0) this.#groups.delete(group);
        for (const other of entries) {
          if (!other.before.delete(entry)) continue;
          if (!mayFollow) other.decide(false);
          else if (other.before.size === 0) other.decide(true);
        }
      },
    };
  }
}
