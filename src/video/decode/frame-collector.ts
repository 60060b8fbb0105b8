import type { Readable } from 'node:stream';
import type { FramePool, FrameSlot } from '../frames/frame-pool.ts';

/**
 * Whole frames that may wait for the consumer; a third one would mean that ffmpeg runs away from it. No fewer: `MediaClock` may need the time of
 * the frame after next, and ffmpeg tells it only when the two before it were taken.
 */
const MAX_WAITING = 2;

/**
 * Cuts ffmpeg's output into frames in memory of the pool. Reading stops while frames wait, so the pipe fills,
 * ffmpeg blocks, and memory does not grow with the length of the video.
 */
export class FrameCollector {
  readonly #source: Readable;
  readonly #frameBytes: number;
  readonly #pool: FramePool;
  readonly #frames: FrameSlot[] = [];
  #filling: FrameSlot | null = null;
  #filled = 0;
  #ended = false;
  readonly #onChange: () => void;

  constructor(source: Readable, frameBytes: number, pool: FramePool, onChange: () => void) {
    this.#source = source;
    this.#pool = pool;
    this.#frameBytes = frameBytes;
    this.#onChange = onChange;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.on('close', () => {
      this.#ended = true;
      onChange();
    });
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

  take(): FrameSlot | null {
    const frame = this.#frames.shift() ?? null;
    if (!this.full && this.#source.isPaused()) this.#source.resume();
    return frame;
  }

  /** Reads nothing more and gives back the memory of what nobody took. */
  close(): void {
    this.#source.destroy();
    for (const slot of this.#frames.splice(0)) slot.release();
    this.#filling?.release();
    this.#filling = null;
  }

  #take(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      this.#filling ??= this.#pool.take(this.#frameBytes);
      const part = chunk.subarray(offset, offset + this.#frameBytes - this.#filled);
      this.#filling.pixels.set(part, this.#filled);
      this.#filled += part.length;
      offset += part.length;
      if (this.#filled < this.#frameBytes) continue;
      this.#frames.push(this.#filling);
      this.#filling = null;
      this.#filled = 0;
    }
    if (this.full) this.#source.pause();
    this.#onChange();
  }
}
