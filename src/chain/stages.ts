import type { ChainStage } from '../failure/stage.ts';
import { action } from './action/action.ts';
import { ageGender } from './age-gender/age-gender.ts';
import { detection } from './detection/detection.ts';
import type { LanguageStage } from './language-stage.ts';
import type { StageContracts } from './model-chain.ts';
import { orientation } from './orientation/orientation.ts';
import { scene } from './scene/scene.ts';
import type { VisionStage } from './vision-stage.ts';

type StageOf<Contract extends StageContracts[ChainStage]> =
  | VisionStage<Contract['ask'], Contract['answer']>
  | LanguageStage<Contract['ask'], Contract['answer']>;

/** Every model of the chain: a further one is its name, its contract, its folder and its entry here. */
const STAGES: { readonly [Name in ChainStage]: StageOf<StageContracts[Name]> } = {
  detection,
  ageGender,
  orientation,
  action,
  scene,
};

type Thread = StageOf<StageContracts[ChainStage]>['thread'];
type NamedStage<In extends Thread> = readonly [
  ChainStage,
  Extract<VisionStage<never, unknown> | LanguageStage<never, unknown>, { readonly thread: In }>,
];

/** The stages of one thread by name, in the chain's order. */
export function stagesIn<In extends Thread>(thread: In): readonly NamedStage<In>[] {
  return (Object.entries(STAGES) as unknown as readonly NamedStage<In>[]).filter(
    ([, stage]) => stage.thread === thread,
  );
}

/** The value of a stage that this thread has. */
export function ofStage<Value>(values: ReadonlyMap<ChainStage, Value>, stage: ChainStage): Value {
  const value = values.get(stage);
  if (value === undefined) throw new TypeError(`the stage ${stage} is not one of this thread`);
  return value;
}

/** The thread in which a stage runs. */
export function threadOf(stage: ChainStage): Thread {
  return STAGES[stage].thread;
}
