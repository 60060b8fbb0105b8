import { CHAIN_STAGES, type ChainStage } from '../failure/stage.ts';

/** One value per model of the chain, in the chain's order. */
export function perStage<Value>(valueOf: (stage: ChainStage) => Value): Readonly<Record<ChainStage, Value>> {
  return Object.fromEntries(CHAIN_STAGES.map((stage) => [stage, valueOf(stage)])) as Record<ChainStage, Value>;
}
