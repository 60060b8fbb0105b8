/** One serial device that all threads of a process share: a run begins when the runs before it have ended. */
export interface DeviceClock {
  /** Blocks the thread, without using the processor, until the device has done a run of so many milliseconds. */
  run(ms: number): void;
  /** From now on runs take their time; before, as in the warm-up, they take none. */
  start(): void;
  /** Milliseconds in which the device worked since the start, and its runs. */
  used(): { readonly busyMs: number; readonly runs: number };
}

const [FREE_AT, BUSY, RUNS, IS_LIVE] = [0, 1, 2, 3];

/** Memory of a clock, to be handed to every thread. */
export function clockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(5 * 8);
}

/** The clock in this memory; every thread makes its own view. */
export function deviceClock(memory: SharedArrayBuffer, now: () => bigint = monotonicMicros): DeviceClock {
  const cells = new BigInt64Array(memory, 0, 4);
  const never = new Int32Array(memory, 4 * 8, 1);
  return {
    run: (ms) => {
      if (Atomics.load(cells, IS_LIVE) === 0n) return;
      const micros = BigInt(Math.round(ms * 1000));
      const end = book(cells, micros, now());
      Atomics.add(cells, BUSY, micros);
      Atomics.add(cells, RUNS, 1n);
      for (let left = end - now(); left > 0n; left = end - now()) Atomics.wait(never, 0, 0, Number(left) / 1000);
    },
    start: () => {
      Atomics.store(cells, BUSY, 0n);
      Atomics.store(cells, RUNS, 0n);
      Atomics.store(cells, IS_LIVE, 1n);
    },
    used: () => ({ busyMs: Number(Atomics.load(cells, BUSY)) / 1000, runs: Number(Atomics.load(cells, RUNS)) }),
  };
}

/** Takes the device for so long from when it is free, and says when that ends. */
function book(cells: BigInt64Array<SharedArrayBuffer>, micros: bigint, now: bigint): bigint {
  for (;;) {
    const freeAt = Atomics.load(cells, FREE_AT);
    const end = (freeAt > now ? freeAt : now) + micros;
    if (Atomics.compareExchange(cells, FREE_AT, freeAt, end) === freeAt) return end;
  }
}

/** One clock for all threads, unlike `performance.now()`. */
function monotonicMicros(): bigint {
  return process.hrtime.bigint() / 1000n;
}
