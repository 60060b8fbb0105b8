import type { ClockSettings } from '../../src/video/clock/media-clock.ts';
import { pick, seededRandom } from '../chaos/random.ts';

/** A frame as it was taken, and the time that a file gives it. Microseconds. */
export interface TimedFrame {
  /** Since the file's start, without the mistakes of its clock. */
  readonly truth: number;
  readonly raw: number | null;
}

/** Frames with mistakes of every kind in the times that their file gives them. */
export interface RandomTimeline extends ClockSettings {
  readonly frames: readonly TimedFrame[];
  /** The mistakes and silences, in words, for a test that fails. */
  readonly story: readonly string[];
  /** How many mistakes there are. */
  readonly mistakes: number;
}

type Mistake =
  | 'outlier'
  | 'two outliers'
  | 'step'
  | 'jump'
  | 'stuck'
  | 'stuck and behind'
  | 'missing'
  | 'duplicate'
  | 'silence';

const MISTAKES: readonly (readonly [Mistake, number])[] = [
  ['outlier', 4],
  ['two outliers', 1],
  ['step', 3],
  ['jump', 2],
  ['stuck', 1],
  ['stuck and behind', 1],
  ['missing', 2],
  ['duplicate', 2],
  ['silence', 4],
];
const RATES = [25, 29.97, 10, 30, 50, 240, 1, 0.1];
/** Frames between two mistakes, so that each is one of its own. */
const APART = 12;

/** Writes the frames of a camera, and what its file says of their times. */
class Writer {
  readonly frames: TimedFrame[] = [];
  readonly between: (low: number, high: number) => number;
  readonly #frameMicros: number;
  readonly #isVariable: boolean;
  readonly #maxGapMicros: number;
  #truth: number;
  #offset: number;

  constructor({ startMicros, frameMicros, maxGapMicros }: ClockSettings, random: () => number) {
    this.between = (low, high) => Math.floor(low + random() * (high - low));
    this.#frameMicros = frameMicros;
    this.#isVariable = random() < 0.3;
    this.#maxGapMicros = maxGapMicros;
    this.#truth = random() < 0.3 ? this.between(0, 9e6) : 0;
    this.#offset = startMicros;
  }

  /** A frame whose time is off by so much. */
  frame(error = 0): void {
    this.#add(this.#offset + this.#truth + error);
  }

  /** So many frames with the last frame's time, or none. */
  same(count: number, isMissing = false): void {
    const raw = isMissing ? null : this.#offset + this.#truth - this.#frameMicros;
    for (let left = count; left > 0; left--) this.#add(raw);
  }

  mistake(mistake: Mistake): void {
    const far = 5 * this.#frameMicros + this.between(1e6, 1e9);
    const away = this.between(0, 2) === 0 ? far : -far;
    const before = this.#truth;
    if (mistake === 'outlier' || mistake === 'two outliers') this.frame(away);
    if (mistake === 'two outliers') this.frame(away);
    if (mistake === 'step') this.#offset -= this.between(0, far);
    if (mistake === 'jump') this.#offset += this.#maxGapMicros + far;
    if (mistake === 'duplicate') this.same(1);
    if (mistake === 'missing') this.same(this.between(1, 5), true);
    if (mistake === 'stuck' || mistake === 'stuck and behind') this.same(this.between(5, 40));
    if (mistake === 'stuck and behind') this.#offset -= this.#truth - before;
    const longest = Math.min(this.#maxGapMicros - 3 * this.#frameMicros, 3e8);
    if (mistake === 'silence') this.#truth += this.between(0, longest);
  }

  #add(raw: number | null): void {
    this.frames.push({ truth: this.#truth, raw });
    const length = this.#frameMicros;
    this.#truth += this.#isVariable ? this.between(length * 0.5, length * 1.5) : length;
  }
}

/** The same timeline for the same seed. */
export function randomTimeline(seed: number, length = 150): RandomTimeline {
  const random = seededRandom(seed);
  const settings = {
    startMicros: random() < 0.5 ? 0 : Math.floor(random() * 1e11 - 1e7),
    frameMicros: Math.round(1e6 / (RATES[Math.floor(random() * RATES.length)] ?? 25)),
    maxGapMicros: random() < 0.4 ? 10_000_000 : 3_600_000_000,
  };
  const writer = new Writer(settings, random);
  const story: string[] = [];
  let mistakes = 0;
  let next = writer.between(5, 30);
  while (writer.frames.length < length) {
    const at = writer.frames.length;
    if (at < next || at > length - 5) {
      writer.frame();
      continue;
    }
    const mistake = pick(random, MISTAKES);
    writer.mistake(mistake);
    story.push(`${mistake} at ${at}`);
    mistakes += mistake === 'silence' ? 0 : 1;
    next = writer.frames.length + APART + writer.between(0, 40);
  }
  return { ...settings, frames: writer.frames, story, mistakes };
}
