import type { Box } from './box.ts';
import type { Picture } from './picture.ts';
import { roundHalfEven } from './round.ts';
import { blackTaps, type TapGrid, type Taps } from './taps.ts';

/** The reference samples on a grid of 1/32 pixel: positions are fixed point with ten bits, then cut to five. */
const GRID_BITS = 5;
const GRID = 1 << GRID_BITS;
const FIXED_BITS = 10;
const HALF = (GRID * GRID) / 2;

export interface OrientationWindow {
  readonly width: number;
  readonly height: number;
  /** How much larger than the box the window is. */
  readonly scale: number;
}

/**
 * The evaluation crop of MEBOW: the box's short side grown around the centre to the target's aspect, enlarged by
 * `scale`, mapped linearly onto width x height so that the centre lands on (width / 2, height / 2); black outside.
 * The arithmetic is that of OpenCV's warpAffine up to 4.x.
 */
export function orientationCrop(picture: Picture, box: Box, target: OrientationWindow): Picture {
  const { width, height } = target;
  const { columns, rows } = orientationTaps(picture, box, target);
  const pixels = new Uint8Array(width * height * 3);
  const source = picture.pixels;
  for (let y = 0; y < height; y++) {
    const upper = (rows.low[y] as number) * picture.width * 3;
    const lower = (rows.high[y] as number) * picture.width * 3;
    const above = rows.lowWeight[y] as number;
    const below = rows.highWeight[y] as number;
    for (let x = 0, out = y * width * 3; x < width; x++) {
      const left = columns.lowWeight[x] as number;
      const right = columns.highWeight[x] as number;
      const low = (columns.low[x] as number) * 3;
      const high = (columns.high[x] as number) * 3;
      for (let c = 0; c < 3; c++, out++) {
        const top = left * (source[upper + low + c] as number) + right * (source[upper + high + c] as number);
        const bottom = left * (source[lower + low + c] as number) + right * (source[lower + high + c] as number);
        pixels[out] = (above * top + below * bottom + HALF) >> (2 * GRID_BITS);
      }
    }
  }
  return { width, height, pixels };
}

/** Where that crop reads the picture; weights are fractions of 2^5 along each axis, 0 beyond the picture's border. */
export function orientationTaps(
  picture: { readonly width: number; readonly height: number },
  box: Box,
  target: OrientationWindow,
): TapGrid {
  const { width, height, scale } = target;
  const sourceWidth = scale * Math.max(box.x2 - box.x1, (box.y2 - box.y1) * (width / height));
  const step = sourceWidth / width;
  return {
    columns: gridTaps(picture.width, width, (box.x1 + box.x2) / 2 - (width / 2) * step, step),
    rows: gridTaps(picture.height, height, (box.y1 + box.y2) / 2 - (height / 2) * step, step),
  };
}

function gridTaps(source: number, count: number, start: number, step: number): Taps {
  const one = 1 << FIXED_BITS;
  const origin = roundHalfEven(start * one) + one / GRID / 2;
  const taps = blackTaps(count);
  for (let i = 0; i < count; i++) {
    const position = (roundHalfEven(i * step * one) + origin) >> (FIXED_BITS - GRID_BITS);
    const low = position >> GRID_BITS;
    const fraction = position & (GRID - 1);
    // A pixel beyond the border weighs nothing: outside is black.
    if (low >= 0 && low < source) {
      taps.low[i] = low;
      taps.lowWeight[i] = GRID - fraction;
    }
    if (low + 1 >= 0 && low + 1 < source) {
      taps.high[i] = low + 1;
      taps.highWeight[i] = fraction;
    }
  }
  return taps;
}
