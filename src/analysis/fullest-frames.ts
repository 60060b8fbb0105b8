/** Stretches that are told apart per wanted frame while the video goes on: more make the cut at its end finer. */
const FINENESS = 4;
/** No two sampled frames need lie so close that they must be told apart from the beginning. */
const SHORTEST_SECONDS = 0.25;

interface Kept<Item> {
  readonly t: number;
  readonly persons: number;
  readonly item: Item;
}

/**
 * Chooses the frames that show a video of unknown length: how long it is, is known at its end, and what its file promises may be far off. It
 * is cut into short stretches, each with its first frame of the most persons; when there are too many, two and two are joined. In the end
 * they are joined into `count` equal stretches of the video. Where the promise was right, the short stretches are even parts of those.
 */
export class FullestFrames<Item> {
  readonly #count: number;
  #stretchSeconds: number;
  #kept = new Map<number, Kept<Item>>();

  constructor(count: number, promisedSeconds: number) {
    this.#count = count;
    const promised = count > 0 && promisedSeconds > 0 && Number.isFinite(promisedSeconds) ? promisedSeconds / count : 1;
    this.#stretchSeconds = promised / 2 ** Math.max(0, Math.ceil(Math.log2(promised / SHORTEST_SECONDS)));
  }

  /** Whether a frame with so many persons would be kept. Frames come in order of time. */
  wants(t: number, persons: number): boolean {
    return persons > (this.#kept.get(this.#stretchOf(t))?.persons ?? 0);
  }

  /** Keeps a wanted frame and returns the items that are let go for it. */
  add(t: number, persons: number, item: Item): readonly Item[] {
    const dropped: Item[] = [];
    this.#put(this.#kept, { t, persons, item }, dropped);
    while (this.#kept.size > this.#count * FINENESS) {
      this.#stretchSeconds *= 2;
      const joined = new Map<number, Kept<Item>>();
      for (const kept of this.#kept.values()) this.#put(joined, kept, dropped);
      this.#kept = joined;
    }
    return dropped;
  }

  /** At most `count` items in order of time: one for each equal stretch of the video in which anybody was. */
  best(durationSeconds: number): readonly Item[] {
    const inOrder = [...this.#kept.values()].sort((a, b) => a.t - b.t);
    const end = Math.max(durationSeconds, inOrder.at(-1)?.t ?? 0);
    const best = new Map<number, Kept<Item>>();
    for (const kept of inOrder) {
      const stretch = end > 0 ? Math.min(this.#count - 1, Math.floor((kept.t / end) * this.#count)) : 0;
      if (kept.persons > (best.get(stretch)?.persons ?? 0)) best.set(stretch, kept);
    }
    return [...best.values()].map(({ item }) => item);
  }

  #stretchOf(t: number): number {
    return Math.floor(t / this.#stretchSeconds);
  }

  #put(into: Map<number, Kept<Item>>, kept: Kept<Item>, dropped: Item[]): void {
    const stretch = this.#stretchOf(kept.t);
    const other = into.get(stretch);
    if (other !== undefined && other.persons >= kept.persons) {
      dropped.push(kept.item);
      return;
    }
    if (other !== undefined) dropped.push(other.item);
    into.set(stretch, kept);
  }
}
