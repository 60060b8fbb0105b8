import type { Box } from '../../vision/box.ts';
import { languageStage } from '../language-stage.ts';
import { openActions } from './read-actions.ts';

/** Reads what a person does, as one label of the pack's vocabulary. */
export const action = languageStage({
  open: openActions,
  boxes: (_frame, boxes: readonly Box[]) => boxes,
  answer: (readings) => readings,
});
