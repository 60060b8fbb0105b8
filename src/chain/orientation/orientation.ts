import type { Box } from '../../vision/box.ts';
import { visionStage } from '../vision-stage.ts';
import { openOrientation } from './open-orientation.ts';

/** Reads where a person's body is turned to. */
export const orientation = visionStage({
  batch: 'people',
  open: openOrientation,
  items: (frame, boxes: readonly Box[]) => boxes.map((box) => ({ frame, box })),
  answer: (readings) => readings,
  warmup: (frame) => ({ frame, box: { x1: 0, y1: 0, x2: frame.width, y2: frame.height } }),
});
