import type { ChainStage } from '../failure/stage.ts';
import type { FrameHandle, ModelChain, StageMethods } from './model-chain.ts';
import { perStage } from './per-stage.ts';

/** The chain with `around` about every call of a model; everything else is the chain's own. */
export function aroundStages(
  chain: ModelChain,
  around: <Answer>(stage: ChainStage, call: () => Promise<Answer>) => Promise<Answer>,
): ModelChain {
  const stages = perStage((stage) => {
    const method = chain[stage].bind(chain) as (handle: FrameHandle, ...ask: readonly unknown[]) => Promise<unknown>;
    return (handle: FrameHandle, ...ask: readonly unknown[]) => around(stage, () => method(handle, ...ask));
  }) as StageMethods;
  return {
    ...stages,
    description: chain.description,
    addFrame: (frame) => chain.addFrame(frame),
    releaseFrame: (handle) => chain.releaseFrame(handle),
    isReadable: (...args) => chain.isReadable(...args),
    jpeg: (...args) => chain.jpeg(...args),
    difference: (...args) => chain.difference(...args),
    timings: () => chain.timings(),
    close: () => chain.close(),
  };
}
