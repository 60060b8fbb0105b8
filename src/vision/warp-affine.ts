import type { Box } from './box.ts';
import type { Picture } from './picture.ts';

/** The references sample on a grid of 1/32 pixel with 15-bit weights. */
const GRID_BITS = 5;
const GRID = 1 << GRID_BITS;
const FIXED_BITS = 10;

export interface OrientationWindow {
  readonly width: number;
  readonly height: number;
  /** How much larger than the box the window is. */
  readonly scale: number;
}

/**
 * The evaluation crop of MEBOW: the box's short side grown around the centre to the target's aspect, enlarged by
 * `scale`, mapped linearly onto width x height so that the centre lands on (width / 2, height / 2); black outside.
 */
export function orientationCrop(picture: Picture, box: Box, target: OrientationWindow): Picture {
  const aspect = target.width / target.height;
  const sourceWidth = target.scale * Math.max(box.x2 - box.x1, (box.y2 - box.y1) * aspect);
  const step = sourceWidth / target.width;
  const left = (box.x1 + box.x2) / 2 - (target.width / 2) * step;
  const top = (box.y1 + box.y2) / 2 - (target.height / 2) * step;
  const columns = gridPositions(target.width, left, step);
  const rows = gridPositions(target.height, top, step);
  const pixels = new Uint8Array(target.width * target.height * 3);
  for (let y = 0, out = 0; y < target.height; y++) {
    for (let x = 0; x < target.width; x++, out += 3) {
      sample(picture, columns[x] as number, rows[y] as number, pixels, out);
    }
  }
  return { width: target.width, height: target.height, pixels };
}

/** Source positions in 1/32 pixels: fixed point with ten bits, half a grid step added, then cut. */
function gridPositions(count: number, start: number, step: number): Int32Array {
  const one = 1 << FIXED_BITS;
  const round = one / GRID / 2;
  const origin = Math.round(start * one);
  const positions = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    positions[i] = (Math.round(i * step * one) + origin + round) >> (FIXED_BITS - GRID_BITS);
  }
  return positions;
}

function sample(picture: Picture, gridX: number, gridY: number, out: Uint8Array, offset: number): void {
  const x = gridX >> GRID_BITS;
  const y = gridY >> GRID_BITS;
  const fx = gridX & (GRID - 1);
  const fy = gridY & (GRID - 1);
  const { width, height, pixels } = picture;
  if (x < -1 || y < -1 || x >= width || y >= height) return;
  const weights = [(GRID - fx) * (GRID - fy), fx * (GRID - fy), (GRID - fx) * fy, fx * fy] as const;
  let [r, g, b] = [0, 0, 0];
  for (let corner = 0; corner < 4; corner++) {
    const cx = x + (corner & 1);
    const cy = y + (corner >> 1);
    if (cx < 0 || cy < 0 || cx >= width || cy >= height) continue;
    const weight = weights[corner] as number;
    const index = (cy * width + cx) * 3;
    r += weight * (pixels[index] as number);
    g += weight * (pixels[index + 1] as number);
    b += weight * (pixels[index + 2] as number);
  }
  const half = (GRID * GRID) / 2;
  out[offset] = (r + half) >> (2 * GRID_BITS);
  out[offset + 1] = (g + half) >> (2 * GRID_BITS);
  out[offset + 2] = (b + half) >> (2 * GRID_BITS);
}
