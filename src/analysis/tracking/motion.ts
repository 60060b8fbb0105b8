import type { Box } from '../../vision/box.ts';

/** One coordinate with its speed, and the 2x2 covariance of both. Units: pixels and seconds. */
interface Axis {
  readonly x: number;
  readonly v: number;
  readonly pxx: number;
  readonly pxv: number;
  readonly pvv: number;
}

/** Constant-velocity Kalman state of a box: centre and size are filtered apart, since their noises are independent. */
export interface Motion {
  readonly cx: Axis;
  readonly cy: Axis;
  readonly w: Axis;
  readonly h: Axis;
}

// Noises in body sizes (the longer side of the box): a walking person makes about 0.8 of its height a second.
const MEASUREMENT = 0.05;
const INITIAL_SPEED = 0.9;
const ACCELERATION = 0.8;
const SIZE_ACCELERATION = 0.3;

const sizeOf = (box: Box): number => Math.max(box.x2 - box.x1, box.y2 - box.y1, 1);

const startAxis = (x: number, size: number): Axis => ({
  x,
  v: 0,
  pxx: (MEASUREMENT * size) ** 2,
  pxv: 0,
  pvv: (INITIAL_SPEED * size) ** 2,
});

/** Filter state for a first sighting: position known, speed unknown. */
export function startMotion(box: Box): Motion {
  const size = sizeOf(box);
  return {
    cx: startAxis((box.x1 + box.x2) / 2, size),
    cy: startAxis((box.y1 + box.y2) / 2, size),
    w: startAxis(box.x2 - box.x1, size),
    h: startAxis(box.y2 - box.y1, size),
  };
}

// Piecewise white acceleration: Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and Navigation", 6.3.2.
function predictAxis(axis: Axis, seconds: number, acceleration: number): Axis {
  const q = acceleration ** 2;
  return {
    x: axis.x + axis.v * seconds,
    v: axis.v,
    pxx: axis.pxx + 2 * seconds * axis.pxv + seconds ** 2 * axis.pvv + (q * seconds ** 4) / 4,
    pxv: axis.pxv + seconds * axis.pvv + (q * seconds ** 3) / 2,
    pvv: axis.pvv + q * seconds ** 2,
  };
}

function correctAxis(axis: Axis, measured: number, noise: number): Axis {
  const total = axis.pxx + noise ** 2;
  const gainX = axis.pxx / total;
  const gainV = axis.pxv / total;
  const error = measured - axis.x;
  return {
    x: axis.x + gainX * error,
    v: axis.v + gainV * error,
    pxx: (1 - gainX) * axis.pxx,
    pxv: (1 - gainX) * axis.pxv,
    pvv: axis.pvv - gainV * axis.pxv,
  };
}

/** The state `seconds` later, without a new sighting. A person's size keeps, only its uncertainty grows. */
export function predictMotion(motion: Motion, seconds: number): Motion {
  const size = Math.max(motion.w.x, motion.h.x, 1);
  return {
    cx: predictAxis(motion.cx, seconds, ACCELERATION * size),
    cy: predictAxis(motion.cy, seconds, ACCELERATION * size),
    w: predictAxis({ ...motion.w, v: 0 }, seconds, SIZE_ACCELERATION * size),
    h: predictAxis({ ...motion.h, v: 0 }, seconds, SIZE_ACCELERATION * size),
  };
}

/** Takes a sighting into a state that was predicted for its time. */
export function correctMotion(motion: Motion, box: Box): Motion {
  const noise = MEASUREMENT * sizeOf(box);
  return {
    cx: correctAxis(motion.cx, (box.x1 + box.x2) / 2, noise),
    cy: correctAxis(motion.cy, (box.y1 + box.y2) / 2, noise),
    w: correctAxis(motion.w, box.x2 - box.x1, noise * 2),
    h: correctAxis(motion.h, box.y2 - box.y1, noise * 2),
  };
}

/** The box of a state, in pixels. */
export function motionBox(motion: Motion): Box {
  const w = Math.max(motion.w.x, 1);
  const h = Math.max(motion.h.x, 1);
  return {
    x1: motion.cx.x - w / 2,
    y1: motion.cy.x - h / 2,
    x2: motion.cx.x + w / 2,
    y2: motion.cy.x + h / 2,
  };
}

/** Standard deviation of the centre in pixels, measurement included. */
export function centreDeviation(motion: Motion): number {
  const size = Math.max(motion.w.x, motion.h.x, 1);
  return Math.sqrt(Math.max(motion.cx.pxx, motion.cy.pxx) + (MEASUREMENT * size) ** 2);
}
