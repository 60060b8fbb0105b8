import { bicubicTaps } from '../../src/vision/bicubic-taps.ts';
import type { Picture } from '../../src/vision/picture.ts';

const PRECISION_BITS = 22;
const HALF = 2 ** (PRECISION_BITS - 1);

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
