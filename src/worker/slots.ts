/** The place of one message among those that are worked on. */
export interface Slot {
  /** Gives the place up: its message waits. May be called again. */
  release(): void;
  /** Takes a place again; only where `Slots.free` says that there is one. */
  retake(): void;
  /** The work is done; what is left is its delete. */
  deleting(): void;
}

type PlaceState = 'busy' | 'deleting' | 'free';

/**
 * The places for messages: what runs occupies one from its receive until all of it is over. A message that waits under its lease
 * occupies none, and one whose work is done and whose delete is on its way lets the next one be asked for meanwhile.
 */
export class Slots {
  readonly #count: number;
  readonly #onFree: () => void;
  readonly #states = new Map<Slot, PlaceState>();
  readonly #work = new Set<Promise<void>>();
  /** What ran when a circuit last opened. */
  #beforeOpen: Set<Slot> = new Set();

  /** `onFree` is called whenever a place may have become free. */
  constructor(count: number, onFree: () => void) {
    this.#count = count;
    this.#onFree = onFree;
  }

  /** Places that work occupies now. */
  get busy(): number {
    return this.#in('busy');
  }

  /** Occupies a place until the work is over, or gives the place up. The work must not reject. */
  occupy(begin: (slot: Slot) => Promise<unknown>): void {
    const slot: Slot = {
      release: () => {
        if (this.#states.get(slot) === 'free') return;
        this.#states.set(slot, 'free');
        this.#onFree();
      },
      retake: () => {
        this.#beforeOpen.delete(slot);
        this.#states.set(slot, 'busy');
      },
      deleting: () => {
        this.#states.set(slot, 'deleting');
      },
    };
    this.#states.set(slot, 'busy');
    const work = begin(slot).then(() => {
      this.#work.delete(work);
      this.#states.delete(slot);
      this.#onFree();
    });
    this.#work.add(work);
  }

  circuitOpened(): void {
    this.#beforeOpen = new Set([...this.#states].flatMap(([slot, state]) => (state === 'free' ? [] : [slot])));
  }

  /**
   * Places that nothing occupies, of those that `allowed` leaves: it is given the number of all and of what ran before the circuit
   * opened, since such a job may run for hours and is not the one that tries.
   */
  free(allowed: (all: number, older: number) => number): number {
    const older = [...this.#beforeOpen].filter((slot) => (this.#states.get(slot) ?? 'free') !== 'free').length;
    const slots = allowed(this.#count, older);
    const deleting = this.#in('deleting');
    // Deletes that do not get through must not let messages pile up, nor an open circuit be tried by two jobs.
    const uncounted = slots < this.#count ? 0 : Math.min(deleting, this.#count);
    return slots - (this.busy + deleting - uncounted);
  }

  /** Everything that was taken so far, and what was taken meanwhile, is over. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #in(wanted: PlaceState): number {
    let count = 0;
    for (const state of this.#states.values()) if (state === wanted) count += 1;
    return count;
  }
}
