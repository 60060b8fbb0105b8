import { backgroundClock } from '../../time/clock.ts';
import { IdleMemory, type IdleLimits } from './idle-memory.ts';

/** Memory of one frame, lent to whoever took it. */
export interface FrameSlot {
  /** As many bytes as were asked for, from the first byte of their memory on; what a frame before them left is still there. */
  readonly pixels: Uint8Array<SharedArrayBuffer>;
  /** Gives the memory back; harmless when called again, also after somebody else was lent it. */
  readonly release: () => void;
}

export interface FramePoolStats {
  /** Slots that are out, but for those that were lost and collected. */
  readonly lent: number;
  /** Slots that wait to be lent, but for those that were dropped and not yet collected. */
  readonly idle: number;
  /** Of all slots, lent and idle. */
  readonly bytes: number;
}

/** Memory of frames that is used again. It never waits: how many frames are under way is bounded by those who hold them. */
export interface FramePool {
  take(bytes: number): FrameSlot;
  stats(): FramePoolStats;
}

/** What two videos in 4K leave when they end. */
export const USUAL_IDLE_BYTES = 256 * 1024 ** 2;
/** Longer than a decoder is silent between two frames of most footage. */
const MAX_IDLE_MS = 5_000;
const LEAST_CAPACITY = 4_096;

/**
 * Lends memory for frames of all videos. Slots come in classes of size, so that videos of about one size use the same ones; the one that
 * came back last goes out first, and those that nobody needs any more grow old and are dropped. What was dropped is lent again as long as it
 * is there: V8 does not count shared memory, so nothing makes it collect, and new memory beside the old would add up. It still does where
 * classes take turns. Memory that is lost without a release is collected like any other and never lent again: somebody may still read it.
 */
export function createFramePool({
  maxIdleBytes = USUAL_IDLE_BYTES,
  maxIdleMs = MAX_IDLE_MS,
  clock = backgroundClock,
}: Partial<IdleLimits> = {}): FramePool {
  const idle = new IdleMemory({ maxIdleBytes, maxIdleMs, clock });
  let lent = 0;
  let lentBytes = 0;
  const noLongerLent = (capacity: number): void => {
    lent -= 1;
    lentBytes -= capacity;
  };
  const lost = new FinalizationRegistry<number>(noLongerLent);

  return { take, stats: () => ({ lent, idle: idle.count, bytes: lentBytes + idle.bytes }) };

  function take(bytes: number): FrameSlot {
    const capacity = capacityFor(bytes);
    const memory = idle.take(capacity) ?? new SharedArrayBuffer(capacity);
    lent += 1;
    lentBytes += capacity;
    // A closure for each loan: what an earlier borrower says a second time must not end this one.
    let isOut = true;
    const release = (): void => {
      if (!isOut) return;
      isOut = false;
      lost.unregister(release);
      noLongerLent(capacity);
      idle.keep(memory);
    };
    lost.register(release, capacity, release);
    return { pixels: new Uint8Array(memory, 0, bytes), release };
  }
}

/** Bytes that a frame of so many takes: the next of four steps between one power of two and the next: at most a quarter more than is needed, and untouched memory costs nothing. */
export function capacityFor(bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new RangeError(`a frame of ${bytes} bytes`);
  if (bytes <= LEAST_CAPACITY) return LEAST_CAPACITY;
  const power = 2 ** Math.floor(Math.log2(bytes));
  const step = power / 4;
  return Math.ceil(bytes / step) * step;
}
