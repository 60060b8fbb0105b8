import type { Box } from '../vision/box.ts';
import { boxArea, boxIou } from '../vision/iou.ts';
import { assignMaximum } from '../analysis/tracking/assign.ts';
import type { ObservedDetection } from '../analysis/video-analysis.ts';
import type { TruthFrame, TruthPerson } from './truth.ts';

/** Below this visible share a person is hidden: finding it is right, missing it is not wrong. */
export const VISIBLE_SHARE = 0.4;
const MIN_IOU = 0.5;

export interface FrameMatch {
  /** A found person, hidden or not. */
  readonly found: readonly { readonly person: TruthPerson; readonly detection: ObservedDetection }[];
  /** Visible persons without a box. */
  readonly missed: readonly TruthPerson[];
  /** Boxes on nobody. */
  readonly spurious: readonly ObservedDetection[];
}

/**
 * The best assignment of a frame's person boxes to the persons that are really there, at IoU 0.5 or more with the part
 * of the body's box that lies in the picture.
 */
export function matchFrame(
  frame: TruthFrame,
  detections: readonly ObservedDetection[],
  picture: { readonly width: number; readonly height: number },
): FrameMatch {
  const boxes = detections.filter((detection) => detection.class === 'person');
  const persons = frame.persons.filter(({ box }) => boxArea(clipped(toBox(box), picture)) > 0);
  const ious = persons.map(({ box }) =>
    boxes.map((detection) => {
      const iou = boxIou(clipped(toBox(box), picture), toBox(detection.box));
      return iou >= MIN_IOU ? iou : 0;
    }),
  );
  const pairs = persons.length > 0 && boxes.length > 0 ? assignMaximum(ious) : [];
  const found = pairs.flatMap(([row, column]) => {
    const person = persons[row];
    const detection = boxes[column];
    if (person === undefined || detection === undefined || (ious[row]?.[column] ?? 0) === 0) return [];
    return [{ person, detection }];
  });
  const matched = new Set(found.map(({ detection }) => detection));
  const seen = new Set(found.map(({ person }) => person));
  return {
    found,
    missed: persons.filter((person) => person.visible >= VISIBLE_SHARE && !seen.has(person)),
    spurious: boxes.filter((detection) => !matched.has(detection)),
  };
}

function toBox([x1, y1, x2, y2]: readonly [number, number, number, number]): Box {
  return { x1, y1, x2, y2 };
}

function clipped(box: Box, picture: { readonly width: number; readonly height: number }): Box {
  return {
    x1: Math.max(0, box.x1),
    y1: Math.max(0, box.y1),
    x2: Math.min(picture.width, box.x2),
    y2: Math.min(picture.height, box.y2),
  };
}
