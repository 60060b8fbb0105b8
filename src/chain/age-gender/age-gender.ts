import type { Detection, FaceBodyPair } from '../model-chain.ts';
import { visionStage } from '../vision-stage.ts';
import type { AgeGenderItem } from './person-parts.ts';
import { openAgeGender } from './open-age-gender.ts';

/** Reads age and gender from a person's face and body. */
export const ageGender = visionStage({
  batch: 'people',
  open: openAgeGender,
  items: (frame, detections: readonly Detection[], pairs: readonly FaceBodyPair[]) =>
    pairs.map((pair) => ({ frame, detections, pair })),
  answer: (readings) => readings,
  warmup: (frame): AgeGenderItem => {
    const box = { x1: 0, y1: 0, x2: frame.width, y2: frame.height };
    return { frame, detections: [{ class: 'person', box, score: 1 }], pair: { person: 0, face: null } };
  },
});
