import type { Box } from '../../src/vision/box.ts';
import { pixelWindow } from '../../src/vision/crop.ts';
import type { Picture } from '../../src/vision/picture.ts';

/** Cuts a box out of a picture; null where nothing is left of it. */
export function crop(picture: Picture, box: Box): Picture | null {
  const window = pixelWindow(picture, box);
  if (window === null) return null;
  const { x1, y1, x2, y2 } = window;
  const width = x2 - x1;
  const height = y2 - y1;
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = ((y1 + y) * picture.width + x1) * 3;
    pixels.set(picture.pixels.subarray(start, start + width * 3), y * width * 3);
  }
  return { width, height, pixels };
}
