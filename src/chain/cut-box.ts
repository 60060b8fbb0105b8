import type { Box } from '../vision/box.ts';
import type { Picture } from '../vision/picture.ts';
import type { OwnedPicture } from './threads.ts';

/**
 * Copy of the box's pixels: edges truncated to whole pixels and clamped to the picture, at least one pixel each way.
 */
export function cutBox(picture: Picture, box: Box): OwnedPicture {
  const x1 = clamp(Math.trunc(box.x1), 0, picture.width - 1);
  const y1 = clamp(Math.trunc(box.y1), 0, picture.height - 1);
  const width = clamp(Math.trunc(box.x2), x1 + 1, picture.width) - x1;
  const height = clamp(Math.trunc(box.y2), y1 + 1, picture.height) - y1;
  const pixels = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((y1 + row) * picture.width + x1) * 3;
    pixels.set(picture.pixels.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, pixels };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
