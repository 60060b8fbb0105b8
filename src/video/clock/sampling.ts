import type { FrameNote } from '../decode/frame-collector.ts';

/**
 * The filter that picks frames by time: for k = 0, 1, 2, ... the first frame with t >= k / fps (one microsecond of
 * tolerance), t counted from the first frame. It prints two numbers per decoded frame: twice its number plus one
 * when picked, and t in microseconds; the numbers that ffmpeg prints by itself have only six digits.
 */
export function samplingFilter(framesPerSecond: number): string {
  const slot = (t: string): string => `floor((${t}-start_t+0.000001)*${framesPerSecond})`;
  const picked = `st(0,if(isnan(prev_selected_t),1,gt(${slot('t')},${slot('prev_selected_t')})))`;
  return `select='${picked};print(2*n+ld(0));print((t-start_t)*1000000);ld(0)'`;
}

/** Reads the numbers of `samplingFilter` back. */
export class SamplingLog {
  readonly #notes: FrameNote[] = [];
  #pending: number | null = null;
  /** Frames decoded so far. */
  decoded = 0;
  /** Largest t so far, seconds. */
  lastTime = 0;

  /** True when the line was one of ours. */
  read(line: string): boolean {
    const match = /^(?:\[Eval[^\]]*\] )?\[info\] (-?\d+\.\d{6})$/.exec(line);
    if (match === null) return false;
    const value = Number(match[1]);
    if (this.#pending === null) {
      this.#pending = value;
      return true;
    }
    const t = value / 1e6;
    const index = Math.floor(this.#pending / 2);
    if (this.#pending % 2 === 1) this.#notes.push({ index, t });
    this.#pending = null;
    this.decoded = index + 1;
    this.lastTime = Math.max(this.lastTime, t);
    return true;
  }

  get waiting(): number {
    return this.#notes.length;
  }

  take(): FrameNote | null {
    return this.#notes.shift() ?? null;
  }
}
