import type { Readable } from 'node:stream';
import { Failure } from '../../failure/failure.ts';
import { adviceForErrno } from '../../failure/sources/errno.ts';
import type { FramePool, FrameSlot } from '../frames/frame-pool.ts';
import type { ByteSink } from '../tools/socket-pair.ts';

/**
 * Whole frames that may wait for the consumer; a third one would mean that ffmpeg runs away from it. No fewer: `MediaClock` may need the time of
 * the frame after next, and ffmpeg tells it only when the two before it were taken.
 */
const MAX_WAITING = 2;

/** For what comes when nobody wants it any more: memory that is given out must not be empty. */
const NOWHERE = new Uint8Array(1);

/** What the collector asks of the socket that it reads. */
export type FrameSource = Pick<Readable, 'resume' | 'destroy' | 'closed' | 'on'>;

/**
 * Cuts ffmpeg's output into frames: each is read straight into memory of the pool. Reading stops while frames wait, so the socket fills,
 * ffmpeg blocks, and memory does not grow with the length of the video: two frames that wait and one that fills.
 */
export class FrameCollector implements ByteSink, Disposable {
  readonly #frameBytes: number;
  readonly #pool: FramePool;
  readonly #frames: FrameSlot[] = [];
  #source: FrameSource | null = null;
  #filling: FrameSlot | null = null;
  #filled = 0;
  #refused: Failure | null = null;
  #isPaused = false;
  #isClosed = false;
  #ended = false;
  #onChange: () => void = () => {};

  constructor(frameBytes: number, pool: FramePool) {
    this.#frameBytes = frameBytes;
    this.#pool = pool;
  }

  readonly room = (): Uint8Array => {
    if (this.#isClosed || this.#refused !== null) return NOWHERE;
    try {
      this.#filling ??= this.#pool.take(this.#frameBytes);
    } catch (error) {
      this.#refuse(error);
      return NOWHERE;
    }
    return this.#filling.pixels.subarray(this.#filled);
  };

  readonly filled = (bytes: number): boolean => {
    if (this.#isClosed || this.#filling === null) return false;
    this.#filled += bytes;
    if (this.#filled === this.#frameBytes) {
      this.#frames.push(this.#filling);
      this.#filling = null;
      this.#filled = 0;
    }
    this.#isPaused = this.full;
    this.#onChange();
    return !this.#isPaused;
  };

  /** Follows the socket that reads into this collector; `onChange` is called whenever bytes have come, and when it has closed. */
  follow(source: FrameSource, onChange: () => void): void {
    this.#source = source;
    this.#onChange = onChange;
    const end = (): void => {
      this.#ended = true;
      onChange();
    };
    // What was short may be over before anybody listens.
    if (source.closed) end();
    else source.on('close', end);
    if (this.#refused !== null) source.destroy();
  }

  /** Why nothing more is read: the host has no memory for a further frame. */
  get refused(): Failure | null {
    return this.#refused;
  }

  /** True when all bytes have come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True while ffmpeg waits for us, not we for it. */
  get full(): boolean {
    return this.#frames.length >= MAX_WAITING;
  }

  /** Bytes of a frame that has begun and not ended. */
  get partialBytes(): number {
    return this.#filled;
  }

  get waiting(): number {
    return this.#frames.length;
  }

  /** The next frame, which its taker releases. */
  take(): FrameSlot | null {
    const frame = this.#frames.shift() ?? null;
    if (this.#isPaused && !this.full) {
      this.#isPaused = false;
      this.#source?.resume();
    }
    return frame;
  }

  /** The socket asks for memory in its own callback, where an error would be nobody's and end the process. */
  #refuse(cause: unknown): void {
    const said = cause instanceof Error ? cause.message : String(cause);
    this.#refused = new Failure(
      'HOST_OUT_OF_MEMORY',
      `there is no memory for a frame of ${this.#frameBytes} bytes: ${said}${adviceForErrno('ENOMEM')}`,
      { cause },
    );
    this.#source?.destroy();
    this.#onChange();
  }

  /** Reads nothing more and gives back the memory of what nobody took. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    // First: what is destroyed writes into no memory any more.
    this.#source?.destroy();
    for (const slot of this.#frames.splice(0)) slot.release();
    this.#filling?.release();
    this.#filling = null;
  }
}
