import type { ByteSink } from '../tools/byte-sink.ts';
import { FILLED, READS, type LentMemory, type ReadingOrder } from './thread-messages.ts';

/**
 * Fills memory that is lent to it with frames, one after the other, and gives it back with each. What came last is filled first: where
 * the consumer keeps up, the rest is never touched and costs nothing. It keeps one piece to read into, so it stops at an empty one that
 * is its last.
 */
export class MemoryFiller implements ByteSink {
  readonly #frameBytes: number;
  readonly #progress: Int32Array;
  readonly #lent: LentMemory[];
  readonly #onFrame: (number: number) => void;
  #filling: LentMemory;
  #filled = 0;

  /** `onFrame` gets the number of memory that has become somebody else's. */
  constructor({ frameBytes, lent, progress }: ReadingOrder, onFrame: (number: number) => void) {
    this.#frameBytes = frameBytes;
    this.#progress = new Int32Array(progress);
    this.#lent = [...lent];
    this.#onFrame = onFrame;
    this.#filling = this.#next();
  }

  readonly room = (): Uint8Array => new Uint8Array(this.#filling.memory, this.#filled, this.#frameBytes - this.#filled);

  readonly filled = (bytes: number): boolean => {
    const whole = this.#filled + bytes === this.#frameBytes ? this.#filling : null;
    this.#filled = whole === null ? this.#filled + bytes : 0;
    Atomics.store(this.#progress, FILLED, this.#filled);
    Atomics.add(this.#progress, READS, 1);
    if (whole === null) return true;
    this.#filling = this.#next();
    this.#onFrame(whole.number);
    return this.#lent.length > 0;
  };

  /** More memory; where reading has stopped, it goes on. */
  lend(memory: LentMemory): void {
    this.#lent.push(memory);
  }

  #next(): LentMemory {
    const next = this.#lent.pop();
    if (next === undefined) throw new Error('no memory is lent to read into');
    return next;
  }
}
