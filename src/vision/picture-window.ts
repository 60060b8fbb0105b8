import type { Box } from './box.ts';
import type { Picture } from './picture.ts';

/** A part of a picture that is read in place: at least one whole pixel, inside the picture. */
export interface PictureWindow {
  readonly frame: Picture;
  readonly window: Box;
  /** Rectangles that count as black, in the window's pixels. */
  readonly blanks?: readonly Box[];
}

/** All of a picture. */
export function wholePicture(frame: Picture): PictureWindow {
  return { frame, window: { x1: 0, y1: 0, x2: frame.width, y2: frame.height } };
}
