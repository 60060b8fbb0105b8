import type { Box } from '../vision/box.ts';
import { roundTo } from './box-geometry.ts';
import { boxIou } from '../vision/iou.ts';

/** A box with the id of its person. */
export interface TrackedBox {
  readonly track: number;
  readonly box: Box;
}

interface Overlap {
  readonly a: number;
  readonly b: number;
  readonly iou: number;
}

/** Pairs of different persons whose boxes overlap by at least `minIou`, smaller id first. */
export function findOverlaps(persons: readonly TrackedBox[], minIou: number): Overlap[] {
  const ordered = [...persons].sort((a, b) => a.track - b.track);
  return ordered.flatMap((first, i) =>
    ordered
      .slice(i + 1)
      .filter((second) => second.track !== first.track)
      .map((second) => ({ a: first.track, b: second.track, iou: roundTo(boxIou(first.box, second.box), 4) }))
      .filter(({ iou }) => iou >= minIou && iou > 0),
  );
}
