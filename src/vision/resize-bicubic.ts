import type { Picture } from './picture.ts';

/** Pixels on either side that the unstretched kernel reaches. */
const REACH = 2;
/** Weights are fractions of 2^22, so that a sum of 8-bit levels fits 32 bits with its overshoot. */
const PRECISION_BITS = 22;
const ONE = 2 ** PRECISION_BITS;
const HALF = ONE / 2;

/** Where a target position reads, in fixed point of 2^22. */
export interface BicubicTaps {
  /** First source position of each target position. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `size` weights for each target position. */
  readonly weights: Int32Array;
  readonly size: number;
}

/**
 * Bicubic resize with a = -0.5 whose kernel widens on reduction (antialiasing), horizontal pass first and each pass
 * rounded and clipped to 8 bits: Pillow's BICUBIC, which the reference's image processor uses. Rounding only once is
 * not the same: overshoot at hard edges must be clipped between the passes. The target is at least 1x1; a picture that
 * already has the size is returned as it is, not copied.
 */
export function resizeBicubic(picture: Picture, width: number, height: number): Picture {
  const wide = width === picture.width ? picture : resizeRows(picture, width);
  return height === wide.height ? wide : resizeColumns(wide, height);
}

function resizeRows(picture: Picture, width: number): Picture {
  const { first, count, weights, size } = bicubicTaps(picture.width, width);
  const { pixels, height } = picture;
  const out = new Uint8ClampedArray(width * height * 3);
  for (let y = 0, o = 0; y < height; y++) {
    const row = y * picture.width;
    for (let x = 0; x < width; x++, o += 3) {
      let p = (row + (first[x] as number)) * 3;
      let r = HALF;
      let g = HALF;
      let b = HALF;
      const start = x * size;
      const end = start + (count[x] as number);
      for (let k = start; k < end; k++, p += 3) {
        const weight = weights[k] as number;
        r += weight * (pixels[p] as number);
        g += weight * (pixels[p + 1] as number);
        b += weight * (pixels[p + 2] as number);
      }
      out[o] = r >> PRECISION_BITS;
      out[o + 1] = g >> PRECISION_BITS;
      out[o + 2] = b >> PRECISION_BITS;
    }
  }
  return { width, height, pixels: new Uint8Array(out.buffer) };
}

function resizeColumns(picture: Picture, height: number): Picture {
  const { first, count, weights, size } = bicubicTaps(picture.height, height);
  const { pixels, width } = picture;
  const stride = width * 3;
  const out = new Uint8ClampedArray(stride * height);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    const start = y * size;
    const end = start + (count[y] as number);
    // Four rows at a time: the sums then cross the memory a quarter as often.
    for (let k = start, row = first[y] as number; k < end; k += 4, row += 4) {
      addRows(sums, pixels, row, picture.height, weights.subarray(k, Math.min(k + 4, end)));
    }
    const target = out.subarray(y * stride, (y + 1) * stride);
    for (let i = 0; i < stride; i++) target[i] = (sums[i] as number) >> PRECISION_BITS;
  }
  return { width, height, pixels: new Uint8Array(out.buffer) };
}

/** Adds up to four weighted rows to the sums; a row that is not asked for weighs nothing. */
function addRows(sums: Int32Array, pixels: Uint8Array, row: number, height: number, weights: Int32Array): void {
  const stride = sums.length;
  const line = (offset: number): Uint8Array => {
    const at = Math.min(row + offset, height - 1) * stride;
    return pixels.subarray(at, at + stride);
  };
  const [a = 0, b = 0, c = 0, d = 0] = weights;
  const [lineA, lineB, lineC, lineD] = [line(0), line(1), line(2), line(3)];
  for (let i = 0; i < stride; i++) {
    const upper = a * (lineA[i] as number) + b * (lineB[i] as number);
    const lower = c * (lineC[i] as number) + d * (lineD[i] as number);
    sums[i] = (sums[i] as number) + upper + lower;
  }
}

/** The taps of one axis, for `source` positions that become `target` ones. */
export function bicubicTaps(source: number, target: number): BicubicTaps {
  const scale = source / target;
  const stretch = Math.max(scale, 1);
  const reach = REACH * stretch;
  const size = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(target);
  const count = new Int32Array(target);
  const weights = new Int32Array(target * size);
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
