import type { Box } from './box.ts';
import type { Picture } from './picture.ts';

/** Edges cut to whole pixels toward zero, as the references index pictures. */
export function wholePixels(box: Box): Box {
  return { x1: Math.trunc(box.x1), y1: Math.trunc(box.y1), x2: Math.trunc(box.x2), y2: Math.trunc(box.y2) };
}

/**
 * The box a crop really takes: whole pixels, x clamped to [0, width - 1] and y to [0, height - 1]; the end is exclusive,
 * so a crop never reaches the last column or row (MiVOLO's crop_object).
 */
export function cropWindow(picture: Picture, box: Box): Box {
  const whole = wholePixels(box);
  const x = (value: number): number => Math.min(Math.max(value, 0), picture.width - 1);
  const y = (value: number): number => Math.min(Math.max(value, 0), picture.height - 1);
  return { x1: x(whole.x1), y1: y(whole.y1), x2: x(whole.x2), y2: y(whole.y2) };
}

/** The same box; null where no pixel is left of it. */
export function pixelWindow(picture: Picture, box: Box): Box | null {
  const window = cropWindow(picture, box);
  // Written so that a box of NaN is nothing, too.
  return window.x2 - window.x1 >= 1 && window.y2 - window.y1 >= 1 ? window : null;
}
