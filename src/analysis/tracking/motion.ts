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

// Noises in body sizes (the longer side of the box). A walking person makes about 0.8 of its height a second and may
// start or stop between two samples, but only across the picture: depth and size change slowly.
const MEASUREMENT = { cx: 0.05, cy: 0.03, w: 0.08, h: 0.03 } as const;
const ACCELERATION = { cx: 0.8, cy: 0.3, w: 0.3, h: 0.2 } as const;
const INITIAL_SPEED = { cx: 0.9, cy: 0.4, w: 0.2, h: 0.2 } as const;
// A box cut by the picture's edge says little about where the middle of the person is.
const CUT = 5;

const sizeOf = (box: Box): number => Math.max(box.x2 - box.x1, box.y2 - box.y1, 1);

const startAxis = (x: number, deviation: number, speedDeviation: number): Axis => ({
  x,
  v: 0,
  pxx: deviation ** 2,
  pxv: 0,
  pvv: speedDeviation ** 2,
});

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

interface Noise {
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

function measurementNoise(box: Box, picture: PictureSize): Noise {
  const size = sizeOf(box);
  const x = box.x1 <= 1 || box.x2 >= picture.width - 1 ? CUT * size : size;
  const y = box.y1 <= 1 || box.y2 >= picture.height - 1 ? CUT * size : size;
  return {
    cx: MEASUREMENT.cx * x,
    cy: MEASUREMENT.cy * y,
    w: MEASUREMENT.w * x,
    h: MEASUREMENT.h * y,
  };
}

/** Filter state for a first sighting: position known, speed unknown. */
export function startMotion(box: Box, picture: PictureSize): Motion {
  const size = sizeOf(box);
  const noise = measurementNoise(box, picture);
  return {
    cx: startAxis((box.x1 + box.x2) / 2, noise.cx, INITIAL_SPEED.cx * size),
    cy: startAxis((box.y1 + box.y2) / 2, noise.cy, INITIAL_SPEED.cy * size),
    w: startAxis(box.x2 - box.x1, noise.w, INITIAL_SPEED.w * size),
    h: startAxis(box.y2 - box.y1, noise.h, INITIAL_SPEED.h * size),
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
    cx: predictAxis(motion.cx, seconds, ACCELERATION.cx * size),
    cy: predictAxis(motion.cy, seconds, ACCELERATION.cy * size),
    w: predictAxis({ ...motion.w, v: 0 }, seconds, ACCELERATION.w * size),
    h: predictAxis({ ...motion.h, v: 0 }, seconds, ACCELERATION.h * size),
  };
}

/** Takes a sighting into a state that was predicted for its time. */
export function correctMotion(motion: Motion, box: Box, picture: PictureSize): Motion {
  const noise = measurementNoise(box, picture);
  return {
    cx: correctAxis(motion.cx, (box.x1 + box.x2) / 2, noise.cx),
    cy: correctAxis(motion.cy, (box.y1 + box.y2) / 2, noise.cy),
    w: correctAxis(motion.w, box.x2 - box.x1, noise.w),
    h: correctAxis(motion.h, box.y2 - box.y1, noise.h),
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

/** Standard deviations in pixels of the difference between the state and a new sighting. */
export function deviations(motion: Motion): Noise {
  const size = Math.max(motion.w.x, motion.h.x, 1);
  return {
    cx: Math.hypot(Math.sqrt(motion.cx.pxx), MEASUREMENT.cx * size),
    cy: Math.hypot(Math.sqrt(motion.cy.pxx), MEASUREMENT.cy * size),
    w: Math.hypot(Math.sqrt(motion.w.pxx), MEASUREMENT.w * size),
    h: Math.hypot(Math.sqrt(motion.h.pxx), MEASUREMENT.h * size),
  };
}
