import type { Picture } from '../../src/vision/picture.ts';
import { resizeTaps, type Taps } from '../../src/vision/taps.ts';

/**
 * Bilinear resize without antialiasing, half-pixel centres, in the 11-bit integer arithmetic of OpenCV's INTER_LINEAR
 * on 8-bit pictures: the result agrees with it to the last bit. The target is at least 1x1. A picture that already has
 * the size is returned as it is, not copied.
 */
export function resizeBilinear(picture: Picture, width: number, height: number): Picture {
  if (picture.width === width && picture.height === height) return picture;
  const pixels = new Uint8Array(width * height * 3);
  resizeInto(picture, { width, height, pixels, stride: width * 3, offset: 0 });
  return { width, height, pixels };
}

/** A rectangle inside a larger picture; `stride` and `offset` in bytes. */
export interface Target {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  readonly stride: number;
  readonly offset: number;
}

/** The same resize into a rectangle of another picture, which saves a letterbox the copy. */
export function resizeInto(picture: Picture, target: Target): void {
  const { width, height, pixels, stride, offset } = target;
  const columns = resizeTaps(picture.width, width);
  const rows = resizeTaps(picture.height, height);
  let upper = new Int32Array(width * 3);
  let lower = new Int32Array(width * 3);
  let upperRow = -1;
  let lowerRow = -1;
  for (let y = 0; y < height; y++) {
    const low = rows.low[y] as number;
    const high = rows.high[y] as number;
    // Going down, the lower row of one line is often the upper row of the next.
    if (low !== upperRow && low === lowerRow) {
      [upper, lower] = [lower, upper];
      [upperRow, lowerRow] = [lowerRow, upperRow];
    }
    if (low !== upperRow) sumRow(picture, low, columns, upper);
    upperRow = low;
    if (high !== lowerRow) sumRow(picture, high, columns, lower);
    lowerRow = high;
    const line = pixels.subarray(offset + y * stride, offset + y * stride + width * 3);
    blendRows(upper, lower, rows.lowWeight[y] as number, rows.highWeight[y] as number, line);
  }
}

function sumRow(picture: Picture, row: number, columns: Taps, out: Int32Array): void {
  const { pixels } = picture;
  const start = row * picture.width * 3;
  const { low, high, lowWeight, highWeight } = columns;
  for (let x = 0, o = 0; x < low.length; x++, o += 3) {
    const a = start + (low[x] as number) * 3;
    const b = start + (high[x] as number) * 3;
    const wa = lowWeight[x] as number;
    const wb = highWeight[x] as number;
    out[o] = (pixels[a] as number) * wa + (pixels[b] as number) * wb;
    out[o + 1] = (pixels[a + 1] as number) * wa + (pixels[b + 1] as number) * wb;
    out[o + 2] = (pixels[a + 2] as number) * wa + (pixels[b + 2] as number) * wb;
  }
}

function blendRows(
  upper: Int32Array,
  lower: Int32Array,
  upperWeight: number,
  lowerWeight: number,
  out: Uint8Array,
): void {
  for (let i = 0; i < out.length; i++) {
    const a = (upperWeight * ((upper[i] as number) >> 4)) >> 16;
    const b = (lowerWeight * ((lower[i] as number) >> 4)) >> 16;
    out[i] = (a + b + 2) >> 2;
  }
}
