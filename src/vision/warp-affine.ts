import type { Box } from './box.ts';
import type { Picture } from './picture.ts';
import { roundHalfEven } from './round.ts';

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
  const sourceWidth = target.scale * Math.max(box.x2 - box.x1, (box.y2 - box.y1) * (width / height));
  const step = sourceWidth / width;
  const columns = gridPositions(width, (box.x1 + box.x2) / 2 - (width / 2) * step, step);
  const rows = gridPositions(height, (box.y1 + box.y2) / 2 - (height / 2) * step, step);
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, out = 0; y < height; y++) {
    const gridY = rows[y] as number;
    for (let x = 0; x < width; x++, out += 3) sample(picture, columns[x] as number, gridY, pixels, out);
  }
  return { width, height, pixels };
}

/** Source positions in 1/32 pixels. */
function gridPositions(count: number, start: number, step: number): Int32Array {
  const one = 1 << FIXED_BITS;
  const origin = roundHalfEven(start * one) + one / GRID / 2;
  const positions = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    positions[i] = (roundHalfEven(i * step * one) + origin) >> (FIXED_BITS - GRID_BITS);
  }
  return positions;
}

function sample(picture: Picture, gridX: number, gridY: number, out: Uint8Array, offset: number): void {
  const { width, height, pixels } = picture;
  const x = gridX >> GRID_BITS;
  const y = gridY >> GRID_BITS;
  if (x < -1 || y < -1 || x >= width || y >= height) return;
  const fx = gridX & (GRID - 1);
  const fy = gridY & (GRID - 1);
  // A pixel beyond the border weighs nothing: outside is black.
  const left = x >= 0 ? GRID - fx : 0;
  const right = x + 1 < width ? fx : 0;
  const above = y >= 0 ? GRID - fy : 0;
  const below = y + 1 < height ? fy : 0;
  const x1 = left > 0 ? x : 0;
  const y1 = above > 0 ? y : 0;
  const a = (y1 * width + x1) * 3;
  const b = right > 0 ? (y1 * width + x + 1) * 3 : a;
  const down = below > 0 ? (y + 1 - y1) * width * 3 : 0;
  for (let c = 0; c < 3; c++) {
    const top = left * (pixels[a + c] as number) + right * (pixels[b + c] as number);
    const bottom = left * (pixels[a + down + c] as number) + right * (pixels[b + down + c] as number);
    out[offset + c] = (above * top + below * bottom + HALF) >> (2 * GRID_BITS);
  }
}
