import { MAX_FIRST_GAP_MICROS, MediaClock, plainStepMicros, type ClockSettings } from './media-clock.ts';
import { SecondTally } from './second-tally.ts';

export interface SamplingSettings extends ClockSettings {
  readonly framesPerSecond: number;
}

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

/**
 * The filter of ffmpeg that lets through what may be sampled: for k = 0, 1, 2, ... the first frame that lies k / framesPerSecond or
 * more behind the first one on the clock of `MediaClock`, and each frame whose time only the next one tells. It is that clock once more, in the language of ffmpeg's
 * expressions, since a frame that it drops is never converted nor written. Per decoded frame it prints two numbers: twice its number plus
 * one when let through, and its own time in microseconds; the numbers that ffmpeg prints by itself have only six digits.
 */
export function samplingFilter(settings: SamplingSettings): string {
  const { startMicros, frameMicros, maxGapMicros, framesPerSecond } = settings;
  const slot = `floor((ld(${LAST})-ld(${FIRST})+1)*${framesPerSecond}/1000000)`;
  const noteSlot = `st(${SLOT},max(ld(${SLOT}),${slot}))`;
  const goOn = (raw: string, time: string): string =>
    `st(${TIME},${time});st(${RAW},${raw});st(${LAST},max(ld(${LAST}),ld(${TIME})));st(${STATE},0)`;
  const step = `(ld(${NOW})-ld(${RAW}))`;
  const offLine = `st(${LAST},ld(${LAST})+${frameMicros});st(${OTHER_TIME},ld(${LAST}));st(${STATE},${IS_OTHER})`;
  const first =
    `st(${RAW},${startMicros});st(${TIME},0);st(${LAST},-${frameMicros});st(${SLOT},-1);st(${STATE},0);` +
    `st(${OTHER},0);st(${OTHER_TIME},0)`;
  const settle =
    `if(gt(ld(${NOW}),ld(${OTHER})),` +
    `${goOn(`ld(${OTHER})`, `ld(${TIME})+(ld(${OTHER})-ld(${RAW}))`)},${offLine});` +
    `if(eq(n,1),st(${FIRST},ld(${LAST})),0);${noteSlot}`;
  const otherGoesOn = `eq(ld(${STATE}),${IS_OTHER})*gt(ld(${NOW}),ld(${OTHER}))*lte(ld(${NOW})-ld(${OTHER}),${maxGapMicros})`;
  const time =
    `if(isnan(ld(${NOW})),st(${LAST},ld(${LAST})+${frameMicros}),` +
    `if(gt(${step},0)*lte(${step},${plainStepMicros(settings)}),${goOn(`ld(${NOW})`, `ld(${TIME})+${step}`)},` +
    `if(gt(${step},0)*lte(${step},if(eq(n,0),${MAX_FIRST_GAP_MICROS},${maxGapMicros})),` +
    `st(${OTHER},ld(${NOW}));st(${STATE},${IS_PENDING}),` +
    `if(${otherGoesOn},${goOn(`ld(${NOW})`, `ld(${OTHER_TIME})+(ld(${NOW})-ld(${OTHER}))`)},` +
    `st(${OTHER},ld(${NOW}));${offLine}))))`;
  return [
    `select='if(eq(n,0),${first},0)`,
    `st(${NOW},round(t*1000000))`,
    `if(eq(ld(${STATE}),${IS_PENDING}),${settle},0)`,
    time,
    `if(eq(n,0),st(${FIRST},ld(${LAST})),0)`,
    `if(eq(ld(${STATE}),${IS_PENDING}),st(${PASS},1),st(${PASS},gt(${slot},ld(${SLOT})));${noteSlot})`,
    `print(2*n+ld(${PASS}))`,
    `print(ld(${NOW}))`,
    `ld(${PASS})'`,
  ].join(';');
}

/** Registers of the expression: those of `MediaClock`, the last slot that was filled, the frame's own time, whether it passes, the first time. */
const [RAW, TIME, LAST, OTHER, OTHER_TIME, STATE, SLOT, NOW, PASS, FIRST] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/** What the register `OTHER` holds: a time off the line, or one far ahead that waits for the next. */
const [IS_OTHER, IS_PENDING] = [1, 2];

const NUMBER = /^(?:\[Eval[^\]]*\] )?\[info\] (-?\d+\.\d{6}|-?nan)$/;

/** Reads the numbers of `samplingFilter` back and decides, with the clock, which of the frames that passed are samples. */
export class SamplingLog {
  readonly #settings: SamplingSettings;
  readonly #clock: MediaClock;
  readonly #tally = new SecondTally();
  readonly #notes: CandidateNote[] = [];
  /** Whether the frames passed whose times are not sure yet, oldest first. */
  readonly #unsettled: boolean[] = [];
  #pending: number | null = null;
  #settled = 0;
  #slot = -1;
  #firstMicros: number | null = null;

  constructor(settings: SamplingSettings) {
    this.#settings = settings;
    this.#clock = new MediaClock(settings);
  }

  /** Frames decoded so far. */
  decoded = 0;

  /** True when the line was one of ours. */
  read(line: string): boolean {
    const match = NUMBER.exec(line);
    if (match === null) return false;
    const value = Number(match[1]);
    if (this.#pending === null) {
      this.#pending = value;
      return true;
    }
    this.#unsettled.push(this.#pending % 2 === 1);
    this.decoded = Math.floor(this.#pending / 2) + 1;
    this.#pending = null;
    this.#settle(this.#clock.push(Number.isNaN(value) ? null : value));
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
      this.#notes.push({ index, t: micros / 1e6, isPicked, isTimeSure: this.#clock.guessed === 0 });
    }
  }
}
