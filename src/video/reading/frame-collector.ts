import type { Socket } from 'node:net';
import type { Failure } from '../../failure/failure.ts';
import type { FramePool, FrameSlot } from '../frames/frame-pool.ts';
import { readInto, type ByteSink } from '../tools/byte-sink.ts';
import type { NearEnd } from '../tools/socket-pair.ts';
import { noMemoryForFrames } from './no-memory.ts';
import { MAX_WAITING, type FrameStream } from './frame-stream.ts';

/** For what comes when nobody wants it any more: memory that is given out must not be empty. */
const NOWHERE = new Uint8Array(1);

/** What the collector asks of the socket that it reads. */
export type FrameSource = Pick<Socket, 'resume' | 'destroy' | 'on'>;

/** Reads on the thread that it is made on: cuts ffmpeg's output into frames, each of which is read straight into memory of the pool. */
export class FrameCollector implements ByteSink, FrameStream {
  readonly #frameBytes: number;
  readonly #pool: FramePool;
  readonly #frames: FrameSlot[] = [];
  #source: FrameSource | null = null;
  #filling: FrameSlot | null = null;
  #filled = 0;
  #reads = 0;
  #failure: Failure | null = null;
  #isPaused = false;
  #isClosed = false;
  #ended = false;
  #onChange: () => void = () => {};

  constructor(frameBytes: number, pool: FramePool) {
    this.#frameBytes = frameBytes;
    this.#pool = pool;
  }

  readonly room = (): Uint8Array => {
    if (this.#isClosed || this.#failure !== null) return NOWHERE;
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
    this.#reads += 1;
    if (this.#filled === this.#frameBytes) {
      this.#frames.push(this.#filling);
      this.#filling = null;
      this.#filled = 0;
    }
    this.#isPaused = this.full;
    this.#onChange();
    return !this.#isPaused;
  };

  readonly connect = (path: string): NearEnd => {
    const socket = readInto(path, this);
    this.attach(socket);
    return socket;
  };

  /** Takes the socket that reads into this collector. */
  attach(source: FrameSource): void {
    this.#source = source;
    source.on('close', () => {
      this.#ended = true;
      this.#onChange();
    });
  }

  follow(onChange: () => void): void {
    this.#onChange = onChange;
    // What was short may be over before anybody listens.
    if (this.#ended) onChange();
    if (this.#failure !== null) this.#source?.destroy();
  }

  get failure(): Failure | null {
    return this.#failure;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** True while ffmpeg waits for us, not we for it. */
  get full(): boolean {
    return this.#frames.length >= MAX_WAITING;
  }

  get partialBytes(): number {
    return this.#filled;
  }

  get reads(): number {
    return this.#reads;
  }

  get waiting(): number {
    return this.#frames.length;
  }

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
    this.#failure = noMemoryForFrames(this.#frameBytes, cause);
    this.#source?.destroy();
    this.#onChange();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    // First: what is destroyed writes into no memory any more.
    this.#source?.destroy();
    for (const slot of this.#frames.splice(0)) slot.release();
    this.#filling?.release();
    this.#filling = null;
  }
}
