import type { Box } from '../../vision/box.ts';
import { boxArea, boxCentre, boxIou } from '../box-geometry.ts';
import { centreDeviation, motionBox, type Motion } from './motion.ts';

const GATE_DEVIATIONS = 2.5;
const MIN_RADIUS = 0.35;
const MAX_RADIUS = 1.25;
const MIN_AREA_RATIO = 0.12;

/**
 * How well a box fits a predicted person: 0 (impossible) to 1. At one or two samples a second people move further than
 * their own width, so overlap alone would lose them: the distance of the centres, against what the filter thinks
 * possible, counts as much. Areas are compared instead of shapes because someone who falls changes shape, not area.
 */
export function similarity(predicted: Motion, box: Box): number {
  const expected = motionBox(predicted);
  const areaRatio = ratio(boxArea(expected), boxArea(box));
  if (areaRatio < MIN_AREA_RATIO) return 0;
  const size = Math.max(expected.x2 - expected.x1, expected.y2 - expected.y1, box.x2 - box.x1, box.y2 - box.y1);
  const radius =
    size * Math.min(MAX_RADIUS, Math.max(MIN_RADIUS, (GATE_DEVIATIONS * centreDeviation(predicted)) / size));
  const from = boxCentre(expected);
  const to = boxCentre(box);
  const distance = Math.hypot(to.x - from.x, to.y - from.y);
  if (distance > radius) return 0;
  return (0.5 * boxIou(expected, box) + 0.5 * (1 - distance / radius)) * (0.5 + 0.5 * Math.sqrt(areaRatio));
}

function ratio(a: number, b: number): number {
  return a > 0 && b > 0 ? Math.min(a, b) / Math.max(a, b) : 0;
}
