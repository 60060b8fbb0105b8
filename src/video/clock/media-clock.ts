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
/** Smaller steps, and steps of no more than `NEAR_FRAMES` frames, are believed at once. */
export const NEAR_MICROS = 250_000;
export const NEAR_FRAMES = 5;
/** So many times in order, off the line, are a new line. */
export const NEW_LINE_TIMES = 3;
/** A step counts for no more than so many frames when the length of a frame is measured, and with one part in so many. */
export const PACE_PARTS = 4;

/** A time of the file and where it lies on the player's clock; a line of times goes on from it at the same pace. */
interface Anchor {
  readonly raw: number;
  readonly time: number;
}

/**
 * The time that a player shows, of frames that come with the times that a file gives them. It never goes back. Times that follow one another
 * closely are a line, and time goes on as the line does. What lies far ahead on it waits for the next two frames: behind a silence they
 * go on from there, and behind one or two wrong times they are back. Where the file's clock steps back, stands, jumps or is missing, time
 * goes on by the usual length of a frame, and three times in order make a new line.
 */
export class MediaClock {
  readonly #maxGapMicros: number;
  /** A time of the file; Infinity where it promises nothing. */
  readonly #promisedEnd: number;
  /** The line that frames are on, by its latest time. */
  #line: Anchor;
  /** The last time that was given. */
  #last: number;
  /** How long a frame lasts: by the nominal rate first, which may be an average over silences, then as the line goes. */
  #pace: number;
  /** Times off the line, by the latest of them, and how many there are; the line may still come back. */
  #other: Anchor | null = null;
  #otherTimes = 0;
  /** A time far ahead on the line, and the one after it. */
  readonly #waiting: (number | null)[] = [];
  #pushed = 0;
  #guessed = 0;

  constructor({ startMicros, frameMicros, maxGapMicros, promisedMicros }: ClockSettings) {
    this.#maxGapMicros = maxGapMicros;
    this.#promisedEnd = startMicros + (promisedMicros ?? Number.POSITIVE_INFINITY);
    this.#line = { raw: startMicros, time: 0 };
    this.#last = -frameMicros;
    this.#pace = frameMicros;
  }

  /** Takes the next frame's own time, null where it has none, and gives the times that are now sure: of none to three frames. */
  push(raw: number | null): readonly number[] {
    const times: number[] = [];
    this.#settle(raw, times);
    if (this.#waiting.length > 0) this.#waiting.push(raw);
    else this.#take(raw, times);
    this.#pushed += 1;
    return times;
  }

  /** The times that waited for another frame, when no more will come. They are behind a silence, unless the file promises to end before. */
  end(): readonly number[] {
    const times: number[] = [];
    while (this.#waiting.length > 0) {
      if ((this.#waiting[0] ?? 0) > this.#promisedEnd + this.#near) this.#disbelieve(times);
      else this.#believe(times);
    }
    return times;
  }

  /** Times that the file did not tell: they are as right as the usual length of a frame, and only where no frame was left out before them. */
  get guessed(): number {
    return this.#guessed;
  }

  /** Where the last frame begins whose time is sure; 0 before there is one. */
  get lastMicros(): number {
    return Math.max(0, this.#last);
  }

  /** Where that frame ends. */
  get endMicros(): number {
    return Math.max(0, this.#last + this.#pace);
  }

  get #maxGap(): number {
    return this.#pushed === 0 ? MAX_FIRST_GAP_MICROS : this.#maxGapMicros;
  }

  get #near(): number {
    return Math.max(NEAR_MICROS, NEAR_FRAMES * this.#pace);
  }

  /** Decides on what waits by the next time, unless another one has to be seen. */
  #settle(next: number | null, times: number[]): void {
    if (this.#waiting.length === 2 && this.#agrees(next)) this.#believe(times);
    if (this.#waiting.length === 0 || this.#agrees(next)) return;
    this.#disbelieve(times);
  }

  /** Whether a time speaks for the one that waits: it lies behind it, or so little before it that it does not lie near the line. */
  #agrees(next: number | null): boolean {
    const [ahead] = this.#waiting;
    if (next === null || ahead === undefined || ahead === null) return true;
    return next > ahead - Math.min(this.#near, (ahead - this.#line.raw) / 2);
  }

  /** Takes the time that waits for footage behind a silence, and looks anew at the one after it. */
  #believe(times: number[]): void {
    const [ahead, after] = this.#waiting.splice(0);
    // One step that long is a silence and says nothing of the frames; two in a row are how the footage goes.
    if (ahead !== undefined && ahead !== null) {
      times.push(this.#goOn(ahead, (after ?? ahead) - ahead > this.#near));
    }
    if (after !== undefined) this.#take(after, times);
  }

  #disbelieve(times: number[]): void {
    times.push(...this.#waiting.splice(0).map(() => this.#guess()));
  }

  /** Gives the time of a frame behind which none waits, or lets it wait. */
  #take(raw: number | null, times: number[]): void {
    const isFirst = this.#pushed === 0;
    const step = raw === null ? 0 : raw - this.#line.raw;
    const near = this.#near;
    if (raw === null) times.push(this.#guess());
    else if (Math.abs(step) <= near && (step > 0 || isFirst)) times.push(this.#goOn(raw, true));
    else if (Math.abs(step) <= near) {
      // Times that were put a little out of order: the line is still there.
      this.#other = null;
      times.push(this.#guess());
    } else if (step > 0 && this.#line.time + step - this.#last <= this.#maxGap) {
      this.#other = null;
      this.#waiting.push(raw);
    } else times.push(this.#takeOther(raw));
  }

  #guess(): number {
    this.#guessed += 1;
    this.#last += this.#pace;
    return this.#last;
  }

  /** On the line. */
  #goOn(raw: number, isUsual: boolean): number {
    const step = raw - this.#line.raw;
    if (isUsual && this.#last === this.#line.time) {
      const counted = Math.min(step, PACE_PARTS * this.#pace);
      this.#pace = Math.max(1, Math.floor(this.#pace + (counted - this.#pace) / PACE_PARTS + 0.5));
    }
    const time = this.#notFarBehind(Math.max(0, this.#line.time + step));
    this.#line = { raw, time };
    this.#other = null;
    this.#last = Math.max(this.#last, time);
    return this.#last;
  }

  /** Off the line. */
  #takeOther(raw: number): number {
    const step = this.#other === null ? null : raw - this.#other.raw;
    if (this.#other === null || step === null || Math.abs(step) > this.#near) {
      this.#other = { raw, time: this.#guess() };
      // The first frame begins the clock.
      if (this.#pushed === 0) this.#guessed = 0;
      this.#otherTimes = 1;
      return this.#last;
    }
    if (step <= 0) return this.#guess();
    const other = { raw, time: this.#notFarBehind(this.#other.time + step) };
    this.#otherTimes += 1;
    this.#last = Math.max(this.#last, other.time);
    if (this.#otherTimes < NEW_LINE_TIMES) this.#other = other;
    else {
      this.#line = other;
      this.#other = null;
    }
    return this.#last;
  }

  /** A clock that stood, and goes on from where it stood, has lost its time: what it says would leave its footage without any. */
  #notFarBehind(time: number): number {
    return time < this.#last - this.#near ? this.#last + this.#pace : time;
  }
}
