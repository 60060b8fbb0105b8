import type { Box } from '../../vision/box.ts';
import { boxCentre } from '../box-geometry.ts';
import { boxArea } from '../../vision/iou.ts';
import { deviations, motionBox, type Motion } from './motion.ts';

const GATE_DEVIATIONS = 2.5;
const MIN_RADIUS = 0.45;
const MAX_RADIUS = 1.25;
const MIN_AREA_RATIO = 0.12;

/**
 * How well a box fits a predicted person: 0 (impossible) to 1. At one or two samples a second people move further than
 * their own width, so overlap cannot decide: each coordinate is compared with what the filter thinks likely. The tails
 * are those of a Cauchy distribution, because someone who starts, turns or falls surprises the filter without being
 * somebody else. For the same reason the gate compares areas, which a fall keeps, and not shapes.
 */
export function similarity(predicted: Motion, box: Box): number {
  const expected = motionBox(predicted);
  if (ratio(boxArea(expected), boxArea(box)) < MIN_AREA_RATIO) return 0;
  const width = box.x2 - box.x1;
  const height = box.y2 - box.y1;
  const size = Math.max(predicted.w.x, predicted.h.x, width, height);
  const sigma = deviations(predicted);
  const radius = clamp(GATE_DEVIATIONS * Math.max(sigma.cx, sigma.cy), MIN_RADIUS * size, MAX_RADIUS * size);
  const centre = boxCentre(box);
  const dx = centre.x - predicted.cx.x;
  const dy = centre.y - predicted.cy.x;
  if (Math.hypot(dx, dy) > radius) return 0;
  return (
    likelihood(dx, sigma.cx) *
    likelihood(dy, sigma.cy) *
    likelihood(height - predicted.h.x, sigma.h) *
    // Arms and legs change the width with every step.
    Math.sqrt(likelihood(width - predicted.w.x, sigma.w))
  );
}

function likelihood(difference: number, deviation: number): number {
  return 1 / (1 + (difference / deviation) ** 2);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function ratio(a: number, b: number): number {
  return a > 0 && b > 0 ? Math.min(a, b) / Math.max(a, b) : 0;
}
