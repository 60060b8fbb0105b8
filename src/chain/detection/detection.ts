import { visionStage } from '../vision-stage.ts';
import { openDetection } from './open-detection.ts';

/** Finds persons and faces in whole frames. */
export const detection = visionStage({
  batch: 'detection',
  open: openDetection,
  items: (frame) => [frame],
  answer: ([found]) => found ?? [],
  warmup: (frame) => frame,
});
