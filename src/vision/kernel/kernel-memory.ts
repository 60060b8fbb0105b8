import type { ModuleMemory } from './kernel-exports.ts';

const PAGE = 65_536;
/** A vector's width; every place begins at a multiple of it. */
const ALIGNMENT = 16;

/**
 * The module's own memory, given out piece by piece and never taken back. It moves nothing when it grows, but every view of it is
 * detached then: who keeps one asks for it again after whatever may have grown the memory.
 */
export class KernelMemory {
  readonly #memory: ModuleMemory;
  #end: number;
  #bytes: Uint8Array;
  #ints: Int32Array;

  constructor(memory: ModuleMemory, from: number) {
    this.#memory = memory;
    this.#end = from;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#ints = new Int32Array(memory.buffer);
  }

  /** All of it, until it grows. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** All of it as 32-bit numbers, until it grows. */
  get ints(): Int32Array {
    return this.#ints;
  }

  /** Floats from an address on, until it grows. */
  floats(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, address, length);
  }

  /** Bytes that it takes now. */
  get size(): number {
    return this.#bytes.length;
  }

  /** The address of so many bytes that nobody else has; a RangeError, and nothing has changed, where the host has no memory for them. */
  take(bytes: number): number {
    const address = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    const missing = address + bytes - this.#bytes.length;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE));
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#ints = new Int32Array(this.#memory.buffer);
    }
    // Not before: what could not be had must not count as given, or the next ones lie in each other's places.
    this.#end = address + bytes;
    return address;
  }

  /** A place for what is needed again and again, in sizes that differ. */
  room(): Room {
    let address = 0;
    let capacity = 0;
    return (bytes) => {
      if (capacity < bytes) {
        // What it had is lost to everybody: growing by half each time keeps that below twice of what is used.
        const wanted = Math.ceil(Math.max(bytes, capacity * 1.5));
        address = this.take(wanted);
        capacity = wanted;
      }
      return address;
    };
  }
}

/** The address of at least so many bytes; what was in them before is lost where they are more than ever before. */
export type Room = (bytes: number) => number;
