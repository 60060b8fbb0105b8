import type { StageOptions } from '../../src/chain/stage.ts';
import { stageMeter } from '../../src/inference/stage-meter.ts';
import { createPixelKernel } from '../../src/vision/kernel/pixel-kernel.ts';

/** What a stage is opened with, as a model thread opens it, but for what is given: one thread on the CPU, batches as they come up to 16. */
export function stageOptions(given: Partial<StageOptions> = {}): StageOptions {
  return {
    target: { device: 'cpu', threads: 1 },
    padTo: [],
    limit: 16,
    meter: stageMeter(),
    kernel: createPixelKernel(),
    ...given,
  };
}
