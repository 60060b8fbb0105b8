export interface WeightedQueue {
  readonly name: string;
  /** Share of the free slots among the queues that have messages; 1 or more. */
  readonly weight: number;
}

interface Entry<Q> {
  readonly queue: Q;
  credit: number;
}

/** Smooth weighted round robin: in any run of turns each queue gets its share, spread evenly. */
export class QueuePicker<Q extends WeightedQueue> {
  readonly #entries: Entry<Q>[];

  constructor(queues: readonly Q[]) {
    this.#entries = queues.map((queue) => ({ queue, credit: 0 }));
  }

  /** The queue whose turn it is among those that may be asked; null when none may. */
  next(mayAsk: (queue: Q) => boolean): Q | null {
    const candidates = this.#entries.filter((entry) => mayAsk(entry.queue));
    let best: Entry<Q> | null = null;
    let total = 0;
    for (const entry of candidates) {
      entry.credit += entry.queue.weight;
      total += entry.queue.weight;
      if (best === null || entry.credit > best.credit) best = entry;
    }
    if (best === null) return null;
    best.credit -= total;
    return best.queue;
  }
}
