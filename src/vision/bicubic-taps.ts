/** Pixels on either side that the unstretched kernel reaches. */
const REACH = 2;
/** Weights are fractions of 2^22, so that a sum of 8-bit levels fits 32 bits with its overshoot. */
const ONE = 2 ** 22;

/** Where a target position reads, in fixed point of 2^22. */
export interface BicubicTaps {
  /** First source position of each target position. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `size` weights for each target position. */
  readonly weights: Int32Array;
  readonly size: number;
}

/** Weights that each target position has room for. */
export function bicubicTapSize(source: number, target: number): number {
  return Math.ceil(REACH * Math.max(source / target, 1)) * 2 + 1;
}

/**
 * The taps of one axis, for `source` positions that become `target` ones: bicubic with a = -0.5, whose kernel widens on
 * reduction (antialiasing), as Pillow's BICUBIC. Written into `tables` where they are given; weights beyond a position's
 * count stay what they were.
 */
export function bicubicTaps(
  source: number,
  target: number,
  tables: Omit<BicubicTaps, 'size'> = {
    first: new Int32Array(target),
    count: new Int32Array(target),
    weights: new Int32Array(target * bicubicTapSize(source, target)),
  },
): BicubicTaps {
  const { first, count, weights } = tables;
  const size = bicubicTapSize(source, target);
  const scale = source / target;
  const stretch = Math.max(scale, 1);
  const reach = REACH * stretch;
  const raw = new Float64Array(size);
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(source, Math.trunc(centre + reach + 0.5));
    let total = 0;
    for (let x = low; x < high; x++) {
      const weight = cubic((x - centre + 0.5) * (1 / stretch));
      raw[x - low] = weight;
      total += weight;
    }
    first[i] = low;
    count[i] = high - low;
    for (let k = 0; k < high - low; k++) weights[i * size + k] = toFixedPoint((raw[k] as number) / total);
  }
  return { first, count, weights, size };
}

/** Nearest, halves away from zero. */
function toFixedPoint(weight: number): number {
  return Math.trunc(weight * ONE + (weight < 0 ? -0.5 : 0.5));
}

function cubic(value: number): number {
  const a = -0.5;
  const x = Math.abs(value);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
