import type { ExecutionTarget } from '../../../inference/providers.ts';
import type { StageMeter } from '../../../inference/stage-meter.ts';

/** One model of the chain: preparation, run and reading of a batch. A result depends on its own item only. */
export interface Stage<Item, Result> {
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly release: () => Promise<void>;
}

export interface StageOptions {
  readonly target: ExecutionTarget;
  /** Sizes to fill batches up to, so that the GPU meets no new shape; none: as many as there are. */
  readonly padTo: readonly number[];
  readonly meter: StageMeter;
}
