import type { Box } from '../vision/box.ts';
import type { BoxTuple } from './video-analysis.ts';

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

/** Intersection over union, 0..1. */
export function boxIou(a: Box, b: Box): number {
  const shared = intersectionArea(a, b);
  const union = boxArea(a) + boxArea(b) - shared;
  return union > 0 ? shared / union : 0;
}

/** Share of the first box that lies inside the second, 0..1. */
export function insideShare(inner: Box, outer: Box): number {
  const area = boxArea(inner);
  return area > 0 ? intersectionArea(inner, outer) / area : 0;
}

export function boxCentre(box: Box): { readonly x: number; readonly y: number } {
  return { x: (box.x1 + box.x2) / 2, y: (box.y1 + box.y2) / 2 };
}

/** Rounds to a number of decimals, without a negative zero. */
export function roundTo(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor + 0;
}

/** The persisted form of a box: hundredths of a pixel. */
export function toBoxTuple(box: Box): BoxTuple {
  return [roundTo(box.x1, 2), roundTo(box.y1, 2), roundTo(box.x2, 2), roundTo(box.y2, 2)];
}
