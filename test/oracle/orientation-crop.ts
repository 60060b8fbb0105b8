import type { Box } from '../../src/vision/box.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { orientationTaps, type OrientationWindow } from '../../src/vision/warp-affine.ts';

/** Weights are fractions of 2^5 along each axis. */
const GRID_BITS = 5;
const HALF = 2 ** (2 * GRID_BITS - 1);

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
