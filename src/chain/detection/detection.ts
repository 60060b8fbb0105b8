import { visionStage } from '../vision-stage.ts';
import { openDetection } from './open-detection.ts';

/**
 * Of a batch with fewer frames, the rows that fill it would cost more than the others gain: each is uploaded and computed like a frame. Seven
 * frames run as eight, five and six as four, and the others join the next batch.
 */
const LEAST_FULL = 0.8;

/** Finds persons and faces in whole frames. */
export const detection = visionStage({
  batch: 'detection',
  open: openDetection,
  items: (frame) => [frame],
  answer: ([found]) => found ?? [],
  warmup: (frame) => frame,
  leastFull: LEAST_FULL,
});
