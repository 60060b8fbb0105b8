import { MediaClock } from './media-clock.ts';
import { noteOf, type SamplingSettings } from './sampling-filter.ts';
import { SecondTally } from './second-tally.ts';

/** A frame that the filter let through. */
export interface CandidateNote {
  /** Number of the decoded frame. */
  readonly index: number;
  /** Seconds on the player's clock. */
  readonly t: number;
  /** True when it is a sample: the first candidate in its slot of 1 / framesPerSecond. */
  readonly isPicked: boolean;
  /** False once the file did not tell the time of a frame, this one or one before it. */
  readonly isTimeSure: boolean;
}

/** Number of the interval that a time lies in, counted from the first decoded frame. One microsecond of tolerance: the times of a file are rounded. */
export function slotOf(micros: number, firstMicros: number, framesPerSecond: number): number {
  return Math.floor(((micros - firstMicros + 1) * framesPerSecond) / 1e6);
}

/** As ffmpeg prints a frame: its number, and in place of its time what the filter says of it. */
const NOTE = /^frame:\d+ +pts:(-?\d{1,17}) +pts_time:/;

/** Reads the notes of `samplingFilter` back and decides, with the clock, which of the frames that passed are samples. */
export class SamplingLog {
  readonly #settings: SamplingSettings;
  readonly #clock: MediaClock;
  readonly #tally = new SecondTally();
  readonly #notes: CandidateNote[] = [];
  /** Whether the frames passed whose times are not sure yet, oldest first. */
  readonly #unsettled: boolean[] = [];
  #settled = 0;
  #slot = -1;
  #firstMicros: number | null = null;

  constructor(settings: SamplingSettings) {
    this.#settings = settings;
    this.#clock = new MediaClock(settings);
  }

  /** Frames decoded so far. */
  decoded = 0;

  /** Takes a line of the filter's descriptor; false when it is none of a frame. */
  read(line: string): boolean {
    const match = NOTE.exec(line);
    if (match === null) return false;
    const { micros, isThrough } = noteOf(Number(match[1]));
    this.#unsettled.push(isThrough);
    // Counted here: ffmpeg begins to count anew where a recording is turned in its middle.
    this.decoded += 1;
    this.#settle(this.#clock.push(micros));
    return true;
  }

  /** To be called when nothing more will be read. */
  end(): void {
    this.#settle(this.#clock.end());
  }

  /** Candidates that nobody has taken yet. */
  get waiting(): number {
    return this.#notes.length;
  }

  take(): CandidateNote | null {
    return this.#notes.shift() ?? null;
  }

  /** True while the file told the time of every frame. */
  get isTimeSure(): boolean {
    return this.#clock.guessed === 0;
  }

  /** Where the first decoded frame begins, seconds; 0 before there is one. */
  get startSeconds(): number {
    return (this.#firstMicros ?? 0) / 1e6;
  }

  /** Where the last decoded frame ends, seconds. */
  get endSeconds(): number {
    return this.#clock.endMicros / 1e6;
  }

  /** How many decoded frames begin in each second. */
  get perSecond(): readonly number[] {
    return this.#tally.perSecond;
  }

  #settle(times: readonly number[]): void {
    for (const micros of times) {
      this.#tally.add(micros);
      this.#firstMicros ??= micros;
      const index = this.#settled;
      this.#settled += 1;
      if (this.#unsettled.shift() !== true) continue;
      const slot = slotOf(micros, this.#firstMicros, this.#settings.framesPerSecond);
      const isPicked = slot > this.#slot;
      if (isPicked) this.#slot = slot;
      this.#notes.push({ index, t: micros / 1e6, isPicked, isTimeSure: this.isTimeSure });
    }
  }
}
