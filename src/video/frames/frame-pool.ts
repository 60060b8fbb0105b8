import { backgroundClock, type Clock } from '../../time/clock.ts';

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
  readonly idle: number;
  /** Of all slots, lent and idle. */
  readonly bytes: number;
}

/** Memory of frames that is used again. It never waits: how many frames are under way is bounded by those who hold them. */
export interface FramePool {
  take(bytes: number): FrameSlot;
  stats(): FramePoolStats;
}

export interface FramePoolLimits {
  /** Bytes that may lie idle; above them, what has lain longest goes first. */
  readonly maxIdleBytes?: number;
  /** How long memory may lie idle. */
  readonly maxIdleMs?: number;
  readonly clock?: Clock;
}

interface IdleSlot {
  readonly memory: SharedArrayBuffer;
  readonly since: number;
}

/** What two videos in 4K leave when they end. */
const MAX_IDLE_BYTES = 256 * 1024 ** 2;
/** Longer than a decoder is silent between two frames of most footage. */
const MAX_IDLE_MS = 5_000;
const LEAST_CAPACITY = 4_096;

/**
 * Lends memory for frames of all videos. Slots come in classes of size, so that videos of about one size use the same ones; the one that
 * came back last goes out first, and those that nobody needs any more grow old and are dropped. Memory that is lost without a release is
 * collected like any other and never lent again: somebody may still read it.
 */
export function createFramePool({
  maxIdleBytes = MAX_IDLE_BYTES,
  maxIdleMs = MAX_IDLE_MS,
  clock = backgroundClock,
}: FramePoolLimits = {}): FramePool {
  /** In the order in which they came back. */
  let idle: IdleSlot[] = [];
  let idleBytes = 0;
  let lent = 0;
  let lentBytes = 0;
  let isWatched = false;
  const noLongerLent = (capacity: number): void => {
    lent -= 1;
    lentBytes -= capacity;
  };
  const lost = new FinalizationRegistry<number>(noLongerLent);

  return { take, stats: () => ({ lent, idle: idle.length, bytes: lentBytes + idleBytes }) };

  function take(bytes: number): FrameSlot {
    const capacity = capacityFor(bytes);
    const memory = takeIdle(capacity) ?? new SharedArrayBuffer(capacity);
    lent += 1;
    lentBytes += capacity;
    // A closure for each loan: what an earlier borrower says a second time must not end this one.
    let isOut = true;
    const release = (): void => {
      if (!isOut) return;
      isOut = false;
      lost.unregister(release);
      noLongerLent(capacity);
      keep(memory);
    };
    lost.register(release, capacity, release);
    return { pixels: new Uint8Array(memory, 0, bytes), release };
  }

  function takeIdle(capacity: number): SharedArrayBuffer | null {
    const at = idle.findLastIndex(({ memory }) => memory.byteLength === capacity);
    const [slot] = at === -1 ? [] : idle.splice(at, 1);
    if (slot === undefined) return null;
    idleBytes -= capacity;
    return slot.memory;
  }

  function keep(memory: SharedArrayBuffer): void {
    idle.push({ memory, since: clock.now() });
    idleBytes += memory.byteLength;
    while (idleBytes > maxIdleBytes) idleBytes -= idle.shift()?.memory.byteLength ?? idleBytes;
    watch();
  }

  /** One timer at a time, for the slot that has lain longest. */
  function watch(): void {
    const [oldest] = idle;
    if (isWatched || oldest === undefined) return;
    isWatched = true;
    clock.after(Math.max(1, oldest.since + maxIdleMs - clock.now()), () => {
      isWatched = false;
      const now = clock.now();
      idle = idle.filter(({ since }) => now - since < maxIdleMs);
      idleBytes = idle.reduce((sum, { memory }) => sum + memory.byteLength, 0);
      watch();
    });
  }
}

/** The next of four steps between one power of two and the next: at most a quarter more than is needed, and untouched memory costs nothing. */
function capacityFor(bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new RangeError(`a frame of ${bytes} bytes`);
  if (bytes <= LEAST_CAPACITY) return LEAST_CAPACITY;
  const power = 2 ** Math.floor(Math.log2(bytes));
  const step = power / 4;
  return Math.ceil(bytes / step) * step;
}
