import { CHAIN_STAGES, type ChainStage } from '../failure/stage.ts';

/** The thread in which each model runs. On its own, so that whoever asks for a model loads none. */
export const STAGE_THREADS = {
  detection: 'frames',
  ageGender: 'people',
  orientation: 'people',
  action: 'language',
  scene: 'language',
} as const satisfies Readonly<Record<ChainStage, 'frames' | 'people' | 'language'>>;

export type ModelThread = (typeof STAGE_THREADS)[ChainStage];

/** The models of these threads. */
export type StagesOf<Thread extends ModelThread> = {
  [Name in ChainStage]: (typeof STAGE_THREADS)[Name] extends Thread ? Name : never;
}[ChainStage];

/** The models of these threads, in the chain's order. */
export function stagesOf(threads: readonly ModelThread[]): readonly ChainStage[] {
  return CHAIN_STAGES.filter((stage) => threads.includes(STAGE_THREADS[stage]));
}
