import { roundTo } from '../analysis/box-geometry.ts';

/** The part as a share of the whole with four decimals; null of nothing. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : roundTo(part / whole, 4);
}

/** The mean with four decimals; null of nothing. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : rounded(values.reduce((sum, value) => sum + value, 0) / values.length);
}

/** The largest value with four decimals; null of nothing. */
export function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : rounded(values.reduce((most, value) => Math.max(most, value)));
}

/** Four decimals. */
export function rounded(value: number | null): number | null {
  return value === null ? null : roundTo(value, 4);
}
