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
  readonly #counts: Record<PlaceState, number> = { busy: 0, deleting: 0, free: 0 };
  readonly #places = new Set<Place>();
  readonly #work = new Set<Promise<void>>();
  /** What ran when a circuit last opened. */
  #beforeOpen: Set<Place> = new Set();

  /** `onFree` is called whenever a place may have become free. */
  constructor(count: number, onFree: () => void) {
    this.#count = count;
    this.#onFree = onFree;
  }

  /** Places that work occupies now. */
  get busy(): number {
    return this.#counts.busy;
  }

  /** Occupies a place until the work is over, or gives the place up. The work must not reject. */
  occupy(begin: (slot: Slot) => Promise<unknown>): void {
    const place = new Place(this.#counts, this.#onFree, (retaken) => this.#beforeOpen.delete(retaken));
    this.#places.add(place);
    const work = begin(place).then(() => {
      this.#work.delete(work);
      this.#places.delete(place);
      place.leave();
      this.#onFree();
    });
    this.#work.add(work);
  }

  circuitOpened(): void {
    this.#beforeOpen = new Set([...this.#places].filter(({ state }) => state !== 'free'));
  }

  /**
   * Places that nothing occupies, of those that `allowed` leaves: it is given the number of all and of what ran before the circuit
   * opened, since such a job may run for hours and is not the one that tries.
   */
  free(allowed: (all: number, older: number) => number): number {
    let older = 0;
    for (const { state } of this.#beforeOpen) if (state !== 'free') older += 1;
    const slots = allowed(this.#count, older);
    const { deleting } = this.#counts;
    // Deletes that do not get through must not let messages pile up, nor an open circuit be tried by two jobs.
    const uncounted = slots < this.#count ? 0 : Math.min(deleting, this.#count);
    return slots - (this.busy + deleting - uncounted);
  }

  /** Everything that was taken so far, and what was taken meanwhile, is over. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }
}

class Place implements Slot {
  state: PlaceState = 'busy';
  readonly #counts: Record<PlaceState, number>;
  readonly #onFree: () => void;
  readonly #onRetake: (place: Place) => void;

  constructor(counts: Record<PlaceState, number>, onFree: () => void, onRetake: (place: Place) => void) {
    this.#counts = counts;
    this.#onFree = onFree;
    this.#onRetake = onRetake;
    counts.busy += 1;
  }

  release(): void {
    if (this.state === 'free') return;
    this.#become('free');
    this.#onFree();
  }

  retake(): void {
    this.#onRetake(this);
    this.#become('busy');
  }

  deleting(): void {
    this.#become('deleting');
    this.#onFree();
  }

  /** Its work is over. */
  leave(): void {
    this.#become('free');
    this.#counts.free -= 1;
  }

  #become(state: PlaceState): void {
    this.#counts[this.state] -= 1;
    this.#counts[state] += 1;
    this.state = state;
  }
}
