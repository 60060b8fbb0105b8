import type { ChainStage } from '../failure/stage.ts';

/** The thread in which each model runs. On its own, so that whoever asks for a model loads none. */
export const STAGE_THREADS = {
  detection: 'vision',
  ageGender: 'vision',
  orientation: 'vision',
  action: 'language',
  scene: 'language',
} as const satisfies Readonly<Record<ChainStage, 'vision' | 'language'>>;

export type ModelThread = (typeof STAGE_THREADS)[ChainStage];

/** The models of one thread. */
export type StagesOf<Thread extends ModelThread> = {
  [Name in ChainStage]: (typeof STAGE_THREADS)[Name] extends Thread ? Name : never;
}[ChainStage];
