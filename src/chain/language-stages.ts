import { action } from './action/action.ts';
import type { LanguageStage } from './language-stage.ts';
import type { StageContracts } from './model-chain.ts';
import { scene } from './scene/scene.ts';
import type { StagesOf } from './stage-threads.ts';

/** The readings of the language thread's model: a further one is its name, its contract, its thread, its folder and its entry here. */
export const LANGUAGE_STAGES: {
  readonly [Name in StagesOf<'language'>]: LanguageStage<StageContracts[Name]['ask'], StageContracts[Name]['answer']>;
} = { action, scene };
