/** How benchmarks measure, and what they make of it: rounds by the clock, the middle one of several, and as many digits as can be trusted. */

/** The upper of the two in the middle where their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export interface RoundTimes {
  /** Milliseconds by the clock. */
  readonly medianMs: number;
  readonly bestMs: number;
  /** Milliseconds of the processor, on average. */
  readonly cpuMs: number;
}

/** Runs `round` so many times, one after another. */
export async function timeRounds(round: () => Promise<unknown>, rounds: number): Promise<RoundTimes> {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let i = 0; i < rounds; i++) {
    const started = performance.now();
    await round();
    times.push(performance.now() - started);
  }
  const used = process.cpuUsage(cpu);
  return {
    medianMs: median(times),
    bestMs: Math.min(...times),
    cpuMs: (used.user + used.system) / 1000 / rounds,
  };
}

/** Four significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
