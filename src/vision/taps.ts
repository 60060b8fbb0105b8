import { roundHalfEven } from './round.ts';

/** For every place along one axis of a target: the two source positions it is mixed from, and their whole-number weights. */
export interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly lowWeight: Int32Array;
  readonly highWeight: Int32Array;
}

/** The taps of both axes of a target picture. */
export interface TapGrid {
  readonly columns: Taps;
  readonly rows: Taps;
}

/** Weights of a resize are fractions of 2^11. */
const ONE = 2048;

/** Taps with position and weight 0: black. */
export function blackTaps(count: number): Taps {
  return tapsIn(new Int32Array(count * 4));
}

/** Taps on numbers that somebody else holds, a quarter for each of the four tables. */
export function tapsIn(numbers: Int32Array): Taps {
  const count = numbers.length / 4;
  const table = (place: number): Int32Array => numbers.subarray(place * count, (place + 1) * count);
  return { low: table(0), high: table(1), lowWeight: table(2), highWeight: table(3) };
}

/**
 * One axis of OpenCV's INTER_LINEAR resize of 8-bit pictures: places `start` to `start + length` of a target of `count`
 * places, the others black. At the borders the reference keeps both weights and lets both positions be the same one: each
 * product is cut to an integer on its own, so that the blend of a row with itself may be a level below the row. Written into
 * `taps` where they are given, which must be black.
 */
export function resizeTaps(
  source: number,
  length: number,
  start = 0,
  count = length,
  taps: Taps = blackTaps(count),
): Taps {
  // Not source / length: the reference inverts the ratio, which may differ in the last bit.
  const scale = 1 / (length / source);
  for (let i = 0; i < length; i++) {
    // Positions and weights are single precision in the reference.
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const base = Math.floor(position);
    const fraction = Math.fround(position - base);
    taps.low[start + i] = Math.min(Math.max(base, 0), source - 1);
    taps.high[start + i] = Math.min(Math.max(base + 1, 0), source - 1);
    taps.lowWeight[start + i] = roundHalfEven(Math.fround(1 - fraction) * ONE);
    taps.highWeight[start + i] = roundHalfEven(fraction * ONE);
  }
  return taps;
}
