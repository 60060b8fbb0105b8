import type { Readable } from 'node:stream';
import { Failure } from '../../failure/failure.ts';
import { systemClock, type Clock } from '../../time/clock.ts';
import type { SamplingLog } from '../clock/sampling-log.ts';
import type { Frame } from '../frame.ts';
import type { ChildExit, NotingChild } from '../tools/child-process.ts';
import type { FrameStream } from '../reading/frame-stream.ts';
import { LastWords, LineSplitter } from '../tools/last-words.ts';
import { tookTooLong, verdictSinceStart, WatchedWait } from '../tools/watched-wait.ts';
import type { DecodingEnd } from './judge-end.ts';
import { endTolerance } from './missing-footage.ts';

export interface DecodingLimits {
  /** Longest silence of ffmpeg while we wait for it; seen before twice that is over. */
  readonly stallTimeoutMs: number;
  /** Longest time that we wait for ffmpeg in total, over all passes; the consumer's own time does not count. */
  readonly wallTimeoutMs: number;
  /** Frames decoded, not sampled. */
  readonly maxFrames: number;
  /** On the clock of the video: a header may promise less than comes. */
  readonly maxDurationSeconds: number;
  /** The system's when absent. */
  readonly clock?: Clock;
}

interface Picture extends Pick<Frame, 'index' | 't' | 'pixels' | 'release'> {
  readonly isTimeSure: boolean;
}

interface DecodingOutput {
  /** Reads what ffmpeg writes; whoever made it closes it. */
  readonly frames: FrameStream;
  readonly log: SamplingLog;
  readonly waitedBeforeMs: number;
}

/** What ffmpeg says of what it writes to us, and not of the file: it counts pictures anew where a recording is turned in its middle. */
const OF_OUTPUT = /non monotonically increasing dts to muxer/;

/** One run of ffmpeg: its pictures and what it says of their times, joined in order. */
export class Decoding {
  readonly #child: NotingChild;
  readonly #limits: DecodingLimits;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #frames: FrameStream;
  readonly #log: SamplingLog;
  readonly #words = new LastWords();
  /** Of its descriptors those that still say something: the log and the notes on the frames. */
  #talking = 2;
  #waitedMs: number;
  #changes = 0;
  #wake: () => void = () => {};

  constructor(child: NotingChild, output: DecodingOutput, limits: DecodingLimits, signal: AbortSignal) {
    this.#child = child;
    this.#limits = limits;
    this.#signal = signal;
    this.#clock = limits.clock ?? systemClock;
    this.#log = output.log;
    this.#waitedMs = output.waitedBeforeMs;
    // Most of what comes is a part of a picture, or a time that has none yet: to wake for it costs more than to read it.
    const changed = (): void => {
      this.#changes += 1;
      if (this.#hasNews) this.#wake();
    };
    this.#frames = output.frames;
    this.#frames.follow(changed);
    const ended = (): void => {
      this.#talking -= 1;
      if (this.#talking === 0) this.#log.end();
      changed();
    };
    // Texts of the file are in the log, and none among the notes: only those tell of the frames.
    readLines(child.stderr, (line) => void (OF_OUTPUT.test(line) || this.#words.add(line)), changed, ended);
    readLines(child.notes, (line) => void this.#log.read(line), changed, ended);
  }

  /** Milliseconds for which ffmpeg was waited for, in this run and before. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** It grows with whatever comes from ffmpeg: not every read is told. */
  get #heard(): number {
    return this.#changes + this.#frames.reads;
  }

  get #hasPicture(): boolean {
    return this.#frames.waiting > 0 && this.#log.waiting > 0;
  }

  get #hasEnded(): boolean {
    return this.#frames.ended && this.#talking === 0;
  }

  /** Something that `next` does not wait for any longer. */
  get #hasNews(): boolean {
    return this.#hasPicture || this.#hasEnded || this.#frames.failure !== null || this.#beyondLimits() !== null;
  }

  /** The next sampled picture; null when ffmpeg has ended. */
  async next(): Promise<Picture | null> {
    for (;;) {
      this.#signal.throwIfAborted();
      const beyond = this.#beyondLimits();
      if (beyond !== null) throw beyond();
      const { failure } = this.#frames;
      if (failure !== null) throw failure;
      if (this.#hasPicture) {
        const note = this.#log.take();
        const slot = this.#frames.take();
        // What lets frames through knows no future: some of them turn out to be no samples.
        if (note?.isPicked === true && slot !== null) {
          const { index, t, isTimeSure } = note;
          return { index, t, pixels: slot.pixels, release: slot.release, isTimeSure };
        }
        slot?.release();
        continue;
      }
      if (this.#hasEnded) return null;
      await this.#change();
    }
  }

  /** How it ended, once there is nothing more to come. */
  async ended(): Promise<DecodingEnd> {
    const exit = await this.#child.exited;
    const { decoded, startSeconds, endSeconds, perSecond, isTimeSure } = this.#log;
    return {
      end: { tool: 'ffmpeg', exit, words: this.#words },
      decodedFrames: decoded,
      span: { startSeconds, endSeconds, perSecond },
      isTimeSure,
      isTorn: this.#frames.partialBytes > 0 || this.#frames.waiting !== this.#log.waiting,
      details: this.#details(exit),
    };
  }

  /** The failure of a file that has more than it may. */
  #beyondLimits(): (() => Failure) | null {
    const { maxFrames, maxDurationSeconds } = this.#limits;
    if (this.#log.decoded > maxFrames) {
      const details = { maxFrames };
      return () => new Failure('VIDEO_TOO_LONG', `more than ${maxFrames} frames in the file`, { details });
    }
    // A header that promises just what is allowed is believed: its own rounding and the last frame's length must not speak against it.
    if (this.#log.endSeconds > maxDurationSeconds + endTolerance(maxDurationSeconds)) {
      const details = { maxDurationSeconds };
      return () => new Failure('VIDEO_TOO_LONG', `the video is longer than ${maxDurationSeconds} s`, { details });
    }
    return null;
  }

  /** Waits until there is news of ffmpeg, the signal fires or a deadline passes. One that said something meanwhile gets the time again. */
  async #change(): Promise<void> {
    const { stallTimeoutMs, wallTimeoutMs } = this.#limits;
    const leftMs = wallTimeoutMs - this.#waitedMs;
    const waitMs = Math.max(0, Math.min(stallTimeoutMs, leftMs));
    const before = this.#heard;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const wait = new WatchedWait(this.#child, waitMs, this.#clock, resolve);
    this.#wake = resolve;
    this.#signal.addEventListener('abort', this.#wake, { once: true });
    await over;
    this.#signal.removeEventListener('abort', this.#wake);
    this.#wake = () => {};
    this.#waitedMs += wait.ranMs;
    wait.cancel();
    const isSilent = (): boolean => this.#heard === before;
    if (this.#signal.aborted || (!isSilent() && this.#waitedMs < wallTimeoutMs)) return;
    const isStalled = isSilent() && waitMs === stallTimeoutMs;
    const verdict = isStalled ? await wait.verdict() : await verdictSinceStart(this.#child, this.#waitedMs);
    // It may have spoken, or the job have ended, while it was looked at.
    if (this.#signal.aborted || (isStalled && !isSilent())) return;
    throw tookTooLong(
      isStalled ? `ffmpeg said nothing for ${stallTimeoutMs} ms` : `ffmpeg needed more than ${wallTimeoutMs} ms`,
      verdict,
      { details: { ...this.#details(null), stallTimeoutMs, wallTimeoutMs } },
    );
  }

  #details(exit: ChildExit | null): Record<string, string | number | null> {
    return {
      lastWords: this.#words.text,
      decodedFrames: this.#log.decoded,
      exitCode: exit?.code ?? null,
      exitSignal: exit?.signal ?? null,
    };
  }
}

function readLines(stream: Readable, onLine: (line: string) => void, onRead: () => void, onEnd: () => void): void {
  const lines = new LineSplitter(onLine);
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    lines.push(chunk);
    onRead();
  });
  stream.on('close', () => {
    lines.end();
    onEnd();
  });
}
