import { Failure } from '../../failure/failure.ts';
import { systemClock } from '../../time/clock.ts';
import { settledWithin } from '../../time/settled-within.ts';
import type { FramePool, FrameSlot } from '../frames/frame-pool.ts';
import type { NearEnd } from '../tools/socket-pair.ts';
import { MAX_WAITING, type FrameStream } from './frame-stream.ts';
import { FrameThread } from './frame-thread.ts';
import { noMemoryForFrames } from './no-memory.ts';
import { FILLED, PROGRESS_INTS, READS, type LentMemory } from './thread-messages.ts';

/** A thread that only reads ends in milliseconds; a job is not held up for longer by one that does not. */
const END_LIMIT_MS = 10_000;

/**
 * Has a thread of its own read the frames, which lends itself the memory for them here. This thread is told of whole frames alone: one
 * message for each, and one that lends memory for another. When the stream is disposed of, the thread is gone.
 */
export class ThreadedFrames implements FrameStream {
  readonly #frameBytes: number;
  readonly #pool: FramePool;
  readonly #progress = new Int32Array(new SharedArrayBuffer(PROGRESS_INTS * Int32Array.BYTES_PER_ELEMENT));
  readonly #frames: FrameSlot[] = [];
  /** What the thread may write into, by number. */
  readonly #lent = new Map<number, FrameSlot>();
  #lastNumber = 0;
  #thread: FrameThread | null = null;
  #failure: Failure | null = null;
  #ended = false;
  #onChange: () => void = () => {};

  constructor(frameBytes: number, pool: FramePool) {
    this.#frameBytes = frameBytes;
    this.#pool = pool;
  }

  readonly connect = (path: string): NearEnd => {
    const lent = Array.from({ length: MAX_WAITING + 1 }, () => this.#lend());
    const progress = this.#progress.buffer;
    const thread = new FrameThread({ path, frameBytes: this.#frameBytes, lent, progress });
    this.#thread = thread;
    thread.on('frame', (number) => this.#receive(number));
    thread.on('error', (error) => {
      if (error instanceof Failure) this.#failure ??= error;
      this.#onChange();
    });
    thread.once('close', () => {
      this.#ended = true;
      this.#onChange();
    });
    return thread;
  };

  follow(onChange: () => void): void {
    this.#onChange = onChange;
    if (this.#ended || this.#failure !== null || this.waiting > 0) onChange();
  }

  get waiting(): number {
    return this.#frames.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get failure(): Failure | null {
    return this.#failure;
  }

  get partialBytes(): number {
    return Atomics.load(this.#progress, FILLED);
  }

  get reads(): number {
    return Atomics.load(this.#progress, READS);
  }

  take(): FrameSlot | null {
    const frame = this.#frames.shift() ?? null;
    if (frame !== null && !this.#ended && this.#failure === null) this.#lendAnother();
    return frame;
  }

  #receive(number: number): void {
    const slot = this.#lent.get(number);
    if (slot === undefined) return;
    this.#lent.delete(number);
    this.#frames.push(slot);
    this.#onChange();
  }

  #lendAnother(): void {
    try {
      this.#thread?.lend(this.#lend());
    } catch (error) {
      this.#failure = error instanceof Failure ? error : noMemoryForFrames(this.#frameBytes, error);
      this.#thread?.destroy();
      this.#onChange();
    }
  }

  #lend(): LentMemory {
    let slot: FrameSlot;
    try {
      slot = this.#pool.take(this.#frameBytes);
    } catch (error) {
      throw noMemoryForFrames(this.#frameBytes, error);
    }
    const number = ++this.#lastNumber;
    this.#lent.set(number, slot);
    return { number, memory: slot.pixels.buffer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#onChange = () => {};
    this.#thread?.destroy();
    const isGone = this.#thread === null || (await settledWithin(this.#thread.gone, END_LIMIT_MS, systemClock));
    for (const slot of this.#frames.splice(0)) slot.release();
    // Memory that a thread may still write into is lost to the pool, which takes it back from nobody.
    if (isGone) for (const slot of this.#lent.values()) slot.release();
    else this.#thread?.unref();
    this.#lent.clear();
  }
}
