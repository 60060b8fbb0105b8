import type { Box } from '../vision/box.ts';
import type { Picture } from '../vision/picture.ts';

/** A part of a frame; `window` is in whole pixels, inside the frame, and has at least one. */
export interface PictureArea {
  readonly frame: Picture;
  readonly window: Box;
}

/** The box's pixels: edges truncated to whole pixels and clamped to the picture, at least one pixel each way. */
export function pictureArea(frame: Picture, box: Box): PictureArea {
  const x1 = clamp(Math.trunc(box.x1), 0, frame.width - 1);
  const y1 = clamp(Math.trunc(box.y1), 0, frame.height - 1);
  const x2 = clamp(Math.trunc(box.x2), x1 + 1, frame.width);
  const y2 = clamp(Math.trunc(box.y2), y1 + 1, frame.height);
  return { frame, window: { x1, y1, x2, y2 } };
}

/** The whole picture. */
export function wholeArea(frame: Picture): PictureArea {
  return { frame, window: { x1: 0, y1: 0, x2: frame.width, y2: frame.height } };
}

/** A copy of the area's pixels, which are packed there. */
export function cutArea({ frame, window }: PictureArea): Picture {
  const { x1, y1 } = window;
  const width = window.x2 - x1;
  const height = window.y2 - y1;
  const pixels = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((y1 + row) * frame.width + x1) * 3;
    pixels.set(frame.pixels.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, pixels };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
