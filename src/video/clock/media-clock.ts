/** Whole microseconds throughout, so that no sum of them is rounded. */
export interface ClockSettings {
  /** The file's own time that is the zero of the player's clock. */
  readonly startMicros: number;
  /** How long a frame is shown by the nominal rate. */
  readonly frameMicros: number;
  /** A longer step ahead is no silence in the footage but another clock. */
  readonly maxGapMicros: number;
  /** Where the file says that the video ends, since the start; null where it does not. Only what comes last is held against it. */
  readonly promisedMicros?: number | null;
}

/** A file may hold sound for so long before its first picture. */
export const MAX_FIRST_GAP_MICROS = 3_600_000_000;
const MIN_STEP_MICROS = 1_000_000;
const STEP_FRAMES = 5;

/** The longest step ahead that needs no second frame to be believed. */
export function plainStepMicros({ frameMicros }: ClockSettings): number {
  return Math.max(MIN_STEP_MICROS, STEP_FRAMES * frameMicros);
}

/** A time of the file and where it lies on the player's clock; a line of times goes on from it at the same pace. */
interface Anchor {
  readonly raw: number;
  readonly time: number;
}

/**
 * The time that a player shows, of frames that come with the times that a file gives them. It never goes back: silences stay as long as
 * they are, a lone time that lies far from its neighbours is ignored, and where the file's clock steps back, stands, jumps or is missing,
 * time goes on by the nominal length of a frame until the new clock has shown two times in order.
 */
export class MediaClock {
  readonly #settings: ClockSettings;
  readonly #stepMicros: number;
  /** The line that frames are on. */
  #line: Anchor;
  /** The last time that was given. */
  #last: number;
  /** A time off the line; the next one may go on from it. */
  #other: Anchor | null = null;
  /** A time far ahead on the line: silence if the next one lies behind it. */
  #pending: number | null = null;
  #pushed = 0;
  #guessed = 0;

  constructor(settings: ClockSettings) {
    this.#settings = settings;
    this.#stepMicros = plainStepMicros(settings);
    this.#line = { raw: settings.startMicros, time: 0 };
    this.#last = -settings.frameMicros;
  }

  /** Takes the next frame's own time, null where it has none, and gives the times that are now sure: of no frame, of one or of two. */
  push(raw: number | null): readonly number[] {
    const times = this.#settle(raw);
    const time = this.#timeOf(raw);
    this.#pushed += 1;
    if (time === null) return times;
    this.#last = time;
    return [...times, time];
  }

  /** The time that waited for another frame, when no more will come. It is silence, unless the file promises to end before. */
  end(): readonly number[] {
    const { startMicros, promisedMicros = null } = this.#settings;
    const isBeyond =
      promisedMicros !== null &&
      this.#pending !== null &&
      this.#pending - startMicros > promisedMicros + this.#stepMicros;
    return this.#settle(isBeyond ? null : Number.POSITIVE_INFINITY);
  }

  /** Where the last frame ends whose time is sure. */
  get endMicros(): number {
    return Math.max(0, this.#last + this.#settings.frameMicros);
  }

  /** Frames whose times are sure. */
  get settled(): number {
    return this.#pending === null ? this.#pushed : this.#pushed - 1;
  }

  /** Times that the file did not tell: they are as right as the nominal rate, and only where no frame was left out before them. */
  get guessed(): number {
    return this.#guessed;
  }

  #settle(next: number | null): readonly number[] {
    if (this.#pending === null) return [];
    const raw = this.#pending;
    this.#pending = null;
    if (next !== null && next > raw) {
      this.#line = { raw, time: this.#line.time + (raw - this.#line.raw) };
      this.#last = Math.max(this.#last, this.#line.time);
    } else {
      this.#guessed += 1;
      this.#last += this.#settings.frameMicros;
      this.#other = { raw, time: this.#last };
    }
    return [this.#last];
  }

  #timeOf(raw: number | null): number | null {
    const { frameMicros, maxGapMicros } = this.#settings;
    if (raw === null) {
      this.#guessed += 1;
      return this.#last + frameMicros;
    }
    const step = raw - this.#line.raw;
    if (step > 0 && step <= this.#stepMicros) return this.#goOn({ raw, time: this.#line.time + step });
    if (step > 0 && step <= (this.#pushed === 0 ? MAX_FIRST_GAP_MICROS : maxGapMicros)) {
      this.#other = null;
      this.#pending = raw;
      return null;
    }
    const other = this.#other;
    if (other !== null && raw > other.raw && raw - other.raw <= maxGapMicros) {
      return this.#goOn({ raw, time: other.time + (raw - other.raw) });
    }
    // The first frame begins the clock.
    if (this.#pushed > 0) this.#guessed += 1;
    this.#other = { raw, time: this.#last + frameMicros };
    return this.#other.time;
  }

  #goOn(line: Anchor): number {
    this.#line = line;
    this.#other = null;
    return Math.max(this.#last, line.time);
  }
}
