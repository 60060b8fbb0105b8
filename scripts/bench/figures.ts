/** What benchmarks make of their measurements: the middle one of several, and as many digits as can be trusted. */

/** The upper of the two in the middle where their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Four significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
