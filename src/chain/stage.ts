import type { ExecutionTarget } from '../inference/providers.ts';
import type { StageMeter } from '../inference/stage-meter.ts';
import type { PixelKernel } from '../vision/kernel/pixel-kernel.ts';

/** An opened model of the chain: preparation, run and reading of a batch. A result depends on its own item only. */
export interface Stage<Item, Result> {
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Gives back what is kept for runs of more rows. Not to be called while one is under way. */
  readonly releaseAbove: (rows: number) => Promise<void>;
  readonly release: () => Promise<void>;
}

export interface StageOptions {
  readonly target: ExecutionTarget;
  /** Sizes to fill batches up to, so that no other is planned; empty: a batch has as many rows as items. */
  readonly padTo: readonly number[];
  /** Most items in one run: room for them is set aside at once, and takes no memory before it is written. */
  readonly limit: number;
  readonly meter: StageMeter;
  /** The thread's own. */
  readonly kernel: PixelKernel;
}

/** Most items in one run, by what the items are: frames, person crops, prompts. */
export interface BatchLimits {
  readonly detection: number;
  readonly people: number;
  readonly language: number;
}
