import type { Box } from '../vision/box.ts';
import { boxArea, intersectionArea } from '../vision/iou.ts';
import type { BoxTuple } from './video-analysis.ts';

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
