import type { BatchQueue } from '../inference/thread/batch-queue.ts';
import type { Pack } from '../packs/load-pack.ts';
import type { Picture } from '../vision/picture.ts';
import { everySettled } from './every-settled.ts';
import type { BatchLimits, Stage, StageOptions } from './stage.ts';

/** What a model of a vision thread says of itself. */
interface VisionStageParts<Ask extends readonly unknown[], Item, Result, Answer> {
  readonly batch: keyof BatchLimits;
  readonly open: (pack: Pack, options: StageOptions) => Promise<Stage<Item, Result>>;
  /** What is to be read of a frame. */
  readonly items: (frame: Picture, ...ask: Ask) => readonly Item[];
  /** The answer from a result per item. */
  readonly answer: (results: readonly Result[]) => Answer;
  /** An item of this picture, to run the model before the first job. */
  readonly warmup: (frame: Picture) => Item;
  /** As `Batching.leastFull`; 0 when absent. */
  readonly leastFull?: number;
}

/** A model of a vision thread: how it is opened, and how it answers a question about a frame. */
export interface VisionStage<Ask, Answer> {
  readonly thread: 'vision';
  readonly batch: keyof BatchLimits;
  readonly open: (pack: Pack, options: StageOptions) => Promise<OpenVisionStage<Ask, Answer>>;
}

interface OpenVisionStage<Ask, Answer> {
  /** Runs a batch of this size. */
  readonly warm: (frame: Picture, size: number) => Promise<void>;
  /** Takes its place among the thread's models. */
  readonly join: (
    queue: BatchQueue,
    limit: number,
  ) => (frame: Picture, ask: Ask, signal: AbortSignal) => Promise<Answer>;
  readonly releaseAbove: (rows: number) => Promise<void>;
  readonly release: () => Promise<void>;
}

/** Declares a model of a vision thread. */
export function visionStage<Ask extends readonly unknown[], Item, Result, Answer>(
  parts: VisionStageParts<Ask, Item, Result, Answer>,
): VisionStage<Ask, Answer> {
  return {
    thread: 'vision',
    batch: parts.batch,
    open: async (pack, options) => {
      const model = await parts.open(pack, options);
      return {
        warm: async (frame, size) => {
          await model.run(Array.from({ length: size }, () => parts.warmup(frame)));
        },
        join: (queue, limit) => {
          const { leastFull = 0 } = parts;
          const submit = queue.stage({ limit, sizes: options.padTo, leastFull, meter: options.meter, run: model.run });
          return async (frame, ask, signal) => {
            const items = parts.items(frame, ...ask);
            return parts.answer(await everySettled(items.map((item) => submit(item, signal))));
          };
        },
        releaseAbove: model.releaseAbove,
        release: model.release,
      };
    },
  };
}
