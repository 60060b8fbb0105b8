import type { Clock } from '../../time/clock.ts';
import { DroppedMemory } from './dropped-memory.ts';

export interface IdleLimits {
  /** Bytes that may lie idle; above them, what has lain longest goes first. */
  readonly maxIdleBytes: number;
  /** How long memory may lie idle. */
  readonly maxIdleMs: number;
  readonly clock: Clock;
}

interface IdlePiece {
  readonly memory: SharedArrayBuffer;
  readonly since: number;
}

/** Memory that waits to be used again, until it has grown old or there is too much of it. */
export class IdleMemory {
  readonly #limits: IdleLimits;
  /** In the order in which they came back. */
  readonly #pieces: IdlePiece[] = [];
  readonly #dropped = new DroppedMemory();
  #bytes = 0;
  #isWatched = false;

  constructor(limits: IdleLimits) {
    this.#limits = limits;
  }

  /** How many pieces wait, without those that were dropped. */
  get count(): number {
    return this.#pieces.length;
  }

  /** Of the pieces that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  keep(memory: SharedArrayBuffer): void {
    this.#pieces.push({ memory, since: this.#limits.clock.now() });
    this.#bytes += memory.byteLength;
    while (this.#bytes > this.#limits.maxIdleBytes) this.#dropFirst(1);
    this.#watch();
  }

  /** A piece of just so many bytes, the latest first, else one that was dropped; null where there is none. */
  take(bytes: number): SharedArrayBuffer | null {
    const at = this.#pieces.findLastIndex(({ memory }) => memory.byteLength === bytes);
    const [piece] = at === -1 ? [] : this.#pieces.splice(at, 1);
    if (piece === undefined) return this.#dropped.take(bytes);
    this.#bytes -= bytes;
    return piece.memory;
  }

  #dropFirst(count: number): void {
    const gone = this.#pieces.splice(0, count).map(({ memory }) => memory);
    this.#bytes -= gone.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#dropped.add(gone);
  }

  /** One timer at a time, for the piece that has lain longest. */
  #watch(): void {
    const { clock, maxIdleMs } = this.#limits;
    const [oldest] = this.#pieces;
    if (this.#isWatched || oldest === undefined) return;
    this.#isWatched = true;
    clock.after(Math.max(1, oldest.since + maxIdleMs - clock.now()), () => {
      this.#isWatched = false;
      const now = clock.now();
      const young = this.#pieces.findIndex(({ since }) => now - since < maxIdleMs);
      this.#dropFirst(young === -1 ? this.#pieces.length : young);
      this.#watch();
    });
  }
}
