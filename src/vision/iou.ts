import type { Box } from './box.ts';

/** Square pixels; 0 for an empty or inverted box. */
export function boxArea(box: Box): number {
  return Math.max(0, box.x2 - box.x1) * Math.max(0, box.y2 - box.y1);
}

/** Square pixels that two boxes share. */
export function intersectionArea(a: Box, b: Box): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Intersection over union, 0..1; 0 where both boxes are empty. */
export function boxIou(a: Box, b: Box): number {
  const shared = intersectionArea(a, b);
  const union = boxArea(a) + boxArea(b) - shared;
  return union > 0 ? shared / union : 0;
}
