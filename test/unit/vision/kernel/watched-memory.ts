import { KernelMemory, type Room } from '../../../../src/vision/kernel/kernel-memory.ts';

const PAGE = 65_536;
const GUARD = 64;
const MARK = 0xab;

/** Memory whose rooms are as large as they were asked to be, with marked bytes behind each that nobody may write. */
export class MarkedMemory extends KernelMemory {
  readonly #ends: number[] = [];

  override room(): Room {
    let address = 0;
    let capacity = 0;
    return (bytes) => {
      if (capacity < bytes) {
        address = this.take(bytes + GUARD);
        capacity = bytes;
        this.#ends.push(address + capacity);
        this.bytes.fill(MARK, address + capacity, address + capacity + GUARD);
      }
      return address;
    };
  }

  /** Rooms that were written beyond. */
  get broken(): number {
    const isMarked = (end: number): boolean => this.bytes.subarray(end, end + GUARD).every((byte) => byte === MARK);
    return this.#ends.filter((end) => !isMarked(end)).length;
  }
}

/** Memory whose last piece ends where it ends itself: who reads or writes beyond that one is stopped by the module. */
export class TightMemory extends KernelMemory {
  override take(bytes: number): number {
    const from = super.take(0);
    const end = Math.max(this.size, Math.ceil((from + bytes) / PAGE) * PAGE);
    super.take(Math.floor((end - from - bytes) / 16) * 16);
    return super.take(bytes);
  }
}
