import type { Orientation } from '../chain/model-chain.ts';
import type { Box } from '../vision/box.ts';
import { boxCentre } from './box-geometry.ts';

/** What is seen of a person without asking what they do. */
export interface PersonLook {
  readonly box: Box;
  /** How fast the middle of the box moves, in lengths of the box's longer side per second; null where it was not seen for long enough. */
  readonly speed: number | null;
  readonly orientation: Pick<Orientation, 'degrees' | 'score'> | null;
}

/** How far a person may differ from how they looked at the last reading. */
export const CHANGE_LIMITS = {
  /** Natural logarithm of the ratio of the widths: a step's swing and a stretched arm stay below it. */
  width: 0.5,
  /** The same of the heights: who sits down, falls or rises does not. */
  height: 0.2,
  /** Lengths of the box per second: who stops or sets off does not stay below it. */
  speed: 0.2,
  degrees: 15,
  /** An orientation of which the model is less sure than `sureScore` must turn further. */
  unsureDegrees: 30,
  /** Softmax over 72 bins; even odds are 0.014. */
  sureScore: 0.05,
} as const;

export type PersonChange = 'box' | 'motion' | 'pose';

/** What has changed so much that the person may be doing something else; null where nothing has. */
export function personChange(before: PersonLook, now: PersonLook): PersonChange | null {
  if (shapeChanged(before.box, now.box)) return 'box';
  if (motionChanged(before.speed, now.speed)) return 'motion';
  return poseChanged(before.orientation, now.orientation) ? 'pose' : null;
}

/** Less time between two boxes makes a speed of how the detector wavers. */
const SPEED_SECONDS = 0.5;

interface Place {
  readonly box: Box;
  readonly t: number;
}

/** Tells, sighting by sighting, how fast a person was over the last half second or more; null until they were seen for as long. */
export function createSpeedometer(): (now: Place) => number | null {
  const places: Place[] = [];
  return (now) => {
    while (places[1] !== undefined && now.t - places[1].t >= SPEED_SECONDS) places.shift();
    const [from] = places;
    places.push(now);
    // A clock that goes back begins anew.
    if (from !== undefined && now.t < from.t) places.splice(0, places.length - 1);
    return from === undefined ? null : speedBetween(from, now);
  };
}

function speedBetween(from: Place, to: Place): number | null {
  const seconds = to.t - from.t;
  const length = Math.max(to.box.x2 - to.box.x1, to.box.y2 - to.box.y1);
  if (seconds < SPEED_SECONDS || length <= 0) return null;
  const [a, b] = [boxCentre(from.box), boxCentre(to.box)];
  return Math.hypot(b.x - a.x, b.y - a.y) / length / seconds;
}

function motionChanged(before: number | null, now: number | null): boolean {
  return before !== null && now !== null && Math.abs(now - before) > CHANGE_LIMITS.speed;
}

function shapeChanged(before: Box, now: Box): boolean {
  return (
    logRatio(before.x2 - before.x1, now.x2 - now.x1) > CHANGE_LIMITS.width ||
    logRatio(before.y2 - before.y1, now.y2 - now.y1) > CHANGE_LIMITS.height
  );
}

/** Infinite where a length is nothing: such a box says nothing of what is in it. */
function logRatio(a: number, b: number): number {
  return a > 0 && b > 0 ? Math.abs(Math.log(a / b)) : Infinity;
}

function poseChanged(before: PersonLook['orientation'], now: PersonLook['orientation']): boolean {
  if (before === null || now === null) return before !== now;
  const turned = Math.abs(((((now.degrees - before.degrees) % 360) + 540) % 360) - 180);
  const isSure = Math.min(before.score, now.score) >= CHANGE_LIMITS.sureScore;
  return turned > (isSure ? CHANGE_LIMITS.degrees : CHANGE_LIMITS.unsureDegrees);
}
