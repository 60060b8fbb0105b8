import { ageGender } from './age-gender/age-gender.ts';
import { detection } from './detection/detection.ts';
import type { StageContracts } from './model-chain.ts';
import { orientation } from './orientation/orientation.ts';
import type { StagesOf } from './stage-threads.ts';
import type { VisionStage } from './vision-stage.ts';

/** The models of the vision threads: a further one is its name, its contract, its thread, its folder and its entry here. */
export const VISION_STAGES: {
  readonly [Name in StagesOf<'frames' | 'people'>]: VisionStage<
    StageContracts[Name]['ask'],
    StageContracts[Name]['answer']
  >;
} = { detection, ageGender, orientation };
