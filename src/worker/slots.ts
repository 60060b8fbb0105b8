/**
 * The places for messages: what runs occupies one from its receive until all of it is over. A message whose work is done and
 * whose delete is on its way occupies none, so that the next one is asked for meanwhile.
 */
export class Slots {
  readonly #count: number;
  readonly #running = new Set<Promise<void>>();
  #acknowledging = 0;
  /** What ran when a circuit last opened. */
  #beforeOpen: ReadonlySet<Promise<void>> = new Set();

  constructor(count: number) {
    this.#count = count;
  }

  /** Keeps a slot until the work is over; `onFree` is called then. The work must not reject. */
  occupy(work: Promise<unknown>, onFree: () => void): void {
    const running = work.then(() => {
      this.#running.delete(running);
      onFree();
    });
    this.#running.add(running);
  }

  /** While the delete of done work is on its way. */
  async withoutSlot<Result>(acknowledge: () => Promise<Result>): Promise<Result> {
    this.#acknowledging += 1;
    try {
      return await acknowledge();
    } finally {
      this.#acknowledging -= 1;
    }
  }

  circuitOpened(): void {
    this.#beforeOpen = new Set(this.#running);
  }

  /**
   * Slots that nothing occupies, of those that `allowed` leaves: it is given the number of all and of what ran before the circuit
   * opened, since such a job may run for hours and is not the one that tries.
   */
  free(allowed: (all: number, older: number) => number): number {
    const older = [...this.#beforeOpen].filter((work) => this.#running.has(work)).length;
    const slots = allowed(this.#count, older);
    // Deletes that do not get through must not let messages pile up, nor an open circuit be tried by two jobs.
    const acknowledging = slots < this.#count ? 0 : Math.min(this.#acknowledging, this.#count);
    return slots - (this.#running.size - acknowledging);
  }

  /** Everything that was taken so far, and what was taken meanwhile, is over. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
