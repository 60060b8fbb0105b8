import type { Picture } from './picture.ts';

const SUPPORT = 2;
const PRECISION_BITS = 22;

interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `size` weights per target position, fixed point. */
  readonly weights: Int32Array;
  readonly size: number;
}

/**
 * Bicubic resize with a = -0.5 whose kernel widens on reduction (antialiasing), horizontal pass first and each pass
 * rounded and clipped to 8 bits: Pillow's BICUBIC, which the reference's image processor uses.
 */
export function resizeBicubic(picture: Picture, width: number, height: number): Picture {
  const horizontal = width === picture.width ? picture : resizeRows(picture, width);
  return height === horizontal.height ? horizontal : resizeColumns(horizontal, height);
}

function resizeRows(picture: Picture, width: number): Picture {
  const { first, count, weights, size } = taps(picture.width, width);
  const { pixels, height } = picture;
  const out = new Uint8ClampedArray(width * height * 3);
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++, o += 3) {
      let p = (y * picture.width + (first[x] as number)) * 3;
      let [r, g, b] = [0, 0, 0];
      const end = x * size + (count[x] as number);
      for (let k = x * size; k < end; k++, p += 3) {
        const weight = weights[k] as number;
        r += weight * (pixels[p] as number);
        g += weight * (pixels[p + 1] as number);
        b += weight * (pixels[p + 2] as number);
      }
      out[o] = level(r);
      out[o + 1] = level(g);
      out[o + 2] = level(b);
    }
  }
  return { width, height, pixels: bytes(out) };
}

function resizeColumns(picture: Picture, height: number): Picture {
  const { first, count, weights, size } = taps(picture.height, height);
  const { pixels, width } = picture;
  const stride = width * 3;
  const out = new Uint8ClampedArray(stride * height);
  const sums = new Float64Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let k = 0; k < (count[y] as number); k++) {
      const weight = weights[y * size + k] as number;
      const row = ((first[y] as number) + k) * stride;
      for (let i = 0; i < stride; i++) sums[i] = (sums[i] as number) + weight * (pixels[row + i] as number);
    }
    for (let i = 0; i < stride; i++) out[y * stride + i] = level(sums[i] as number);
  }
  return { width, height, pixels: bytes(out) };
}

/** Fixed point to a level, half up; the clamped array clips it. */
function level(sum: number): number {
  return Math.floor(sum / 2 ** PRECISION_BITS + 0.5);
}

function bytes(clamped: Uint8ClampedArray<ArrayBuffer>): Uint8Array {
  return new Uint8Array(clamped.buffer);
}

function taps(source: number, target: number): Taps {
  const scale = source / target;
  const stretch = Math.max(scale, 1);
  const reach = SUPPORT * stretch;
  const size = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(target);
  const count = new Int32Array(target);
  const weights = new Int32Array(target * size);
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(source, Math.trunc(centre + reach + 0.5));
    const raw: number[] = [];
    for (let x = low; x < high; x++) raw.push(cubic((x - centre + 0.5) / stretch));
    const total = raw.reduce((sum, value) => sum + value, 0);
    first[i] = low;
    count[i] = high - low;
    raw.forEach((value, k) => {
      weights[i * size + k] = Math.round((value / total) * 2 ** PRECISION_BITS);
    });
  }
  return { first, count, weights, size };
}

function cubic(value: number): number {
  const a = -0.5;
  const x = Math.abs(value);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
