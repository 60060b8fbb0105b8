import { basename, dirname } from 'node:path';
import { Failure } from '../../failure/failure.ts';
import { systemClock, type Clock } from '../../time/clock.ts';
import { limitsFor, startLimited, type ChildExit, type LimitedChild } from '../tools/child-process.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import type { Frame } from '../frame.ts';
import { FrameCollector } from './frame-collector.ts';
import { LastWords, LineSplitter } from '../tools/last-words.ts';
import { DEMUXERS } from '../probe/probe.ts';
import { SamplingLog, samplingFilter } from '../clock/sampling.ts';
import { endedByForce, endedWithoutReport, gaveUpWithoutReason, type ToolEnd } from '../tools/tool-end.ts';
import type { Footage } from '../footage.ts';
import type { ProbedVideo } from '../probed-video.ts';
import { tookTooLong, verdictSinceStart, WatchedWait } from '../tools/watched-wait.ts';

export interface DecodeOptions {
  readonly framesPerSecond: number;
  /** Longest silence of ffmpeg while we wait for it. */
  readonly stallTimeoutMs: number;
  /** Longest time that we wait for ffmpeg in total; the consumer's own time does not count. */
  readonly wallTimeoutMs: number;
  /** Frames decoded, not sampled. */
  readonly maxFrames: number;
  /** Address space of ffmpeg, 4 GiB by default. */
  readonly memoryLimitBytes?: number;
  /** Decoder threads, 0: as many as ffmpeg likes. */
  readonly threads: number;
  /** The system's when absent. */
  readonly clock?: Clock;
}

/** A file counts as truncated when less than this share of its duration came out and the decoder complained. */
const COMPLETE_SHARE = 0.9;

/**
 * Decodes a file once, in presentation order and display orientation, and yields the frames sampled by time as RGB.
 * One ffmpeg process, at most a few frames ahead of the consumer, gone in every outcome before the iteration ends. Returns what the
 * video turned out to be.
 */
export async function* decodeFrames(
  tools: FfmpegTools,
  file: string,
  info: ProbedVideo,
  options: DecodeOptions,
  signal: AbortSignal,
): AsyncGenerator<Frame, Footage, undefined> {
  signal.throwIfAborted();
  const limits = limitsFor(options.wallTimeoutMs, options.threads, options.memoryLimitBytes);
  const child = await startLimited(tools.ffmpeg, argumentsFor(file, info, options), dirname(file), limits);
  const decoding = new Decoding(child, info, options, signal);
  try {
    for (let sample = 0; ; sample++) {
      const frame = await decoding.next();
      if (frame === null) return decoding.footage();
      yield { sample, ...frame, width: info.width, height: info.height };
    }
  } finally {
    await child.stop();
  }
}

/** The frames of a video and, when they have ended, what it turned out to be. */
export interface DecodedVideo {
  readonly frames: AsyncIterable<Frame>;
  /** Throws while frames are left. */
  readonly footage: () => Footage;
}

/**
 * Gives the frames of `decodeFrames` to `use` and resolves or rejects as it does, when ffmpeg is gone. A consumer that leaves while
 * it waits for a frame is told of the end of a generator only after that wait, which may take as long as ffmpeg may be silent.
 */
export async function withDecodedFrames<Result>(
  decode: Parameters<typeof decodeFrames>,
  use: (video: DecodedVideo) => Promise<Result>,
): Promise<Result> {
  const [tools, file, info, options, signal] = decode;
  const left = new AbortController();
  const decoding = decodeFrames(tools, file, info, options, AbortSignal.any([signal, left.signal]));
  let footage: Footage | null = null;
  async function* frames(): AsyncGenerator<Frame> {
    footage = yield* decoding;
  }
  try {
    return await use({
      frames: frames(),
      footage: () => {
        if (footage === null) throw new Error('the footage is known when its last frame was decoded');
        return footage;
      },
    });
  } finally {
    left.abort();
    await decoding.return({ durationSeconds: 0, decodedFrames: 0, missing: [] }).catch(() => undefined);
  }
}

function argumentsFor(file: string, info: ProbedVideo, options: DecodeOptions): string[] {
  const input = ['-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS, '-threads', String(options.threads)];
  // A picture that changes its size midway must neither restart the sampling nor change the size of our frames.
  const filters = `${samplingFilter(options.framesPerSecond)},scale=${info.width}:${info.height}`;
  return [
    '-hide_banner -nostdin -nostats -v repeat+level+info'.split(' '),
    [...input, '-reinit_filter', '0', '-i', `file:${basename(file)}`],
    ['-map', '0:V:0', '-an', '-sn', '-dn', '-vf', filters, '-fps_mode', 'passthrough'],
    ['-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ].flat();
}

class Decoding {
  readonly #child: LimitedChild;
  readonly #info: ProbedVideo;
  readonly #options: DecodeOptions;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #frames: FrameCollector;
  readonly #log = new SamplingLog();
  readonly #words = new LastWords();
  #logEnded = false;
  #waitedMs = 0;
  #activity = 0;
  #wake: () => void = () => {};

  constructor(child: LimitedChild, info: ProbedVideo, options: DecodeOptions, signal: AbortSignal) {
    this.#child = child;
    this.#info = info;
    this.#options = options;
    this.#signal = signal;
    this.#clock = options.clock ?? systemClock;
    const changed = (): void => {
      this.#activity += 1;
      this.#wake();
    };
    this.#frames = new FrameCollector(child.stdout, info.width * info.height * 3, changed);
    const lines = new LineSplitter((line) => {
      if (!this.#log.read(line)) this.#words.add(line);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      lines.push(chunk);
      changed();
    });
    child.stderr.on('close', () => {
      lines.end();
      this.#logEnded = true;
      changed();
    });
  }

  async next(): Promise<Pick<Frame, 'index' | 't' | 'pixels'> | null> {
    for (;;) {
      this.#signal.throwIfAborted();
      if (this.#log.decoded > this.#options.maxFrames) {
        throw new Failure('VIDEO_TOO_LONG', `more than ${this.#options.maxFrames} frames in the file`, {
          details: { maxFrames: this.#options.maxFrames },
        });
      }
      if (this.#frames.waiting > 0 && this.#log.waiting > 0) {
        const note = this.#log.take();
        const pixels = this.#frames.take();
        if (note !== null && pixels !== null) return { ...note, pixels };
      }
      if (this.#frames.ended && this.#logEnded) {
        this.#judge(await this.#child.exited);
        return null;
      }
      await this.#change();
    }
  }

  /** Waits until ffmpeg says something, the signal fires or a deadline passes. */
  async #change(): Promise<void> {
    const { stallTimeoutMs, wallTimeoutMs } = this.#options;
    const leftMs = wallTimeoutMs - this.#waitedMs;
    const waitMs = Math.max(0, Math.min(stallTimeoutMs, leftMs));
    const before = this.#activity;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const wait = new WatchedWait(this.#child, waitMs, this.#clock, resolve);
    this.#wake = resolve;
    this.#signal.addEventListener('abort', this.#wake, { once: true });
    await over;
    this.#signal.removeEventListener('abort', this.#wake);
    this.#wake = () => {};
    this.#waitedMs += wait.ranMs;
    wait.cancel();
    const isSilent = (): boolean => this.#activity === before;
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

  footage(): Footage {
    return { durationSeconds: this.#info.durationSeconds, decodedFrames: this.#log.decoded, missing: [] };
  }

  /** Throws unless the video was decoded well enough to stand for the file. */
  #judge(exit: ChildExit): void {
    const details = this.#details(exit);
    const end: ToolEnd = { tool: 'ffmpeg', exit, words: this.#words };
    const force = endedByForce(end, details);
    if (force !== null) throw force;
    const { durationSeconds, frameRate } = this.#info;
    const decodedSeconds = this.#log.lastTime + 1 / frameRate;
    const complete = this.#log.decoded > 0 && decodedSeconds >= COMPLETE_SHARE * durationSeconds;
    const torn = this.#frames.partialBytes > 0 || this.#frames.waiting !== this.#log.waiting;
    if (complete && !torn) return;
    const otherReason = gaveUpWithoutReason(end, details);
    if (otherReason !== null) throw otherReason;
    if (this.#log.decoded === 0) {
      if (!this.#words.saidAnything) throw endedWithoutReport(end, details);
      throw new Failure('VIDEO_NO_FRAMES', 'no frame could be decoded', { details });
    }
    if (!complete && this.#words.sawError) {
      throw new Failure(
        'VIDEO_TRUNCATED',
        `only ${decodedSeconds.toFixed(2)} of ${durationSeconds} s could be decoded`,
        { details: { ...details, decodedSeconds, durationSeconds } },
      );
    }
    if (torn || exit.code !== 0) {
      throw new Failure('VIDEO_DECODE_FAILED', `ffmpeg gave up on the file (exit code ${exit.code})`, { details });
    }
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
