/** Longer than any video that may be accepted: what lies beyond is not told apart. */
const MAX_SECONDS = 30 * 86_400;

/** How many frames, or packets, begin in each second of a video. Its memory grows with the length, by a number a second. */
export class SecondTally {
  readonly #perSecond: number[] = [];

  add(micros: number): void {
    const second = micros > 0 ? Math.min(MAX_SECONDS, Math.floor(micros / 1e6)) : 0;
    while (this.#perSecond.length <= second) this.#perSecond.push(0);
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + 1;
  }

  get perSecond(): readonly number[] {
    return this.#perSecond;
  }
}
