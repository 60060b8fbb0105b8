import type { Box } from './box.ts';
import type { Picture } from './picture.ts';

/** A part of a picture, which is read in place: `window` is in whole pixels, inside the picture, and has at least one. */
export interface PictureArea {
  readonly frame: Picture;
  readonly window: Box;
  /** Rectangles that count as black, in the window's pixels. */
  readonly blanks?: readonly Box[];
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

/**
 * Copies the area's rows, or only its `lines` of them, to `at` in `into`, `pitch` bytes from one to the next; blanks are copied as they
 * are. `Buffer.copy` is as fast from shared memory as from any other; `set` needs up to eight times as long, and is what it does where all
 * of a buffer is copied at once.
 */
export function copyRows(
  { frame, window }: PictureArea,
  into: Uint8Array,
  at: number,
  pitch: number,
  lines?: readonly number[],
): void {
  const { buffer, byteOffset, byteLength } = frame.pixels;
  const pixels = Buffer.from(buffer, byteOffset, byteLength);
  const length = (window.x2 - window.x1) * 3;
  const height = window.y2 - window.y1;
  const first = (window.y1 * frame.width + window.x1) * 3;
  const count = lines?.length ?? height;
  if (count === height && length === frame.width * 3 && length === pitch) {
    const end = first + length * height;
    const half = first + length * Math.ceil(height / 2);
    pixels.copy(into, at, first, half);
    if (half < end) pixels.copy(into, at + half - first, half, end);
    return;
  }
  for (let i = 0, to = at; i < count; i++, to += pitch) {
    const from = first + (lines?.[i] ?? i) * frame.width * 3;
    pixels.copy(into, to, from, from + length);
  }
}

function clamp(value: number, low: number, high: number): number {
  // Written so that what is no number becomes the lower limit.
  return value > low ? Math.min(value, high) : low;
}
