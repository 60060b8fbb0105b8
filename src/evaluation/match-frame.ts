import type { Box } from '../vision/box.ts';
import { boxArea, boxIou } from '../vision/iou.ts';
import { assignMaximum } from '../analysis/tracking/assign.ts';
import type { ObservedDetection } from '../analysis/video-analysis.ts';
import type { TruthBox, TruthFrame, TruthPerson } from './truth.ts';

/** Below this visible share a person is hidden: finding it is right, missing it is not wrong. */
export const VISIBLE_SHARE = 0.4;
/** Of a face more must be seen: less shows too little of it. */
const VISIBLE_FACE_SHARE = 0.6;
const MIN_IOU = 0.5;

/** The fields of a detection that the comparison of places needs. */
export type FoundBox = Pick<ObservedDetection, 'track' | 'class' | 'box' | 'score'>;

/** Somebody, or somebody's face, who is really there. */
interface KnownBox {
  readonly person: TruthPerson;
  readonly box: Box;
  /** Share that can be seen. */
  readonly visible: number;
  /** Seen well enough to be asked for. */
  readonly isVisible: boolean;
}

export interface FrameMatch<Found extends FoundBox = ObservedDetection> {
  /** What was found, hidden or not. */
  readonly found: readonly { readonly known: KnownBox; readonly detection: Found; readonly iou: number }[];
  /** Visible ones without a box. */
  readonly missed: readonly KnownBox[];
  /** Boxes on nobody. */
  readonly spurious: readonly Found[];
}

/**
 * The best assignment of a frame's boxes of a class to what is really there, at IoU 0.5 or more with the part of the true box that
 * lies in the picture.
 */
export function matchFrame<Found extends FoundBox>(
  frame: TruthFrame,
  detections: readonly Found[],
  picture: { readonly width: number; readonly height: number },
  what: FoundBox['class'] = 'person',
): FrameMatch<Found> {
  const boxes = detections.filter((detection) => detection.class === what);
  const there = frame.persons.flatMap((person) => knownBox(person, what, picture));
  const ious = there.map(({ box }) =>
    boxes.map((detection) => {
      const iou = boxIou(box, toBox(detection.box));
      return iou >= MIN_IOU ? iou : 0;
    }),
  );
  const pairs = there.length > 0 && boxes.length > 0 ? assignMaximum(ious) : [];
  const found = pairs.flatMap(([row, column]) => {
    const known = there[row];
    const detection = boxes[column];
    const iou = ious[row]?.[column] ?? 0;
    return known === undefined || detection === undefined || iou === 0 ? [] : [{ known, detection, iou }];
  });
  const matched = new Set(found.map(({ detection }) => detection));
  const seen = new Set(found.map(({ known }) => known));
  return {
    found,
    missed: there.filter((known) => known.isVisible && !seen.has(known)),
    spurious: boxes.filter((detection) => !matched.has(detection)),
  };
}

/** Nothing where it lies outside the picture or is turned away. */
function knownBox(
  person: TruthPerson,
  what: FoundBox['class'],
  picture: { readonly width: number; readonly height: number },
): readonly KnownBox[] {
  const whole = what === 'person' ? person.box : person.face;
  const visible = what === 'person' ? person.visible : person.faceVisible;
  if (whole === null) return [];
  const box = clipped(toBox(whole), picture);
  const isVisible = visible >= (what === 'person' ? VISIBLE_SHARE : VISIBLE_FACE_SHARE);
  return boxArea(box) > 0 ? [{ person, box, visible, isVisible }] : [];
}

function toBox([x1, y1, x2, y2]: Readonly<TruthBox>): Box {
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
