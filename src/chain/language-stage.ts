import { warmUp } from '../inference/batch.ts';
import type { StageMeter } from '../inference/stage-meter.ts';
import type { BatchQueue } from '../inference/thread/batch-queue.ts';
import type { Pack } from '../packs/load-pack.ts';
import type { Box } from '../vision/box.ts';
import type { Picture } from '../vision/picture.ts';
import { pictureArea, wholeArea, type PictureArea } from '../vision/picture-area.ts';
import { everySettled } from './every-settled.ts';
import type { VisionLanguage } from './fastvlm/vision-language.ts';
import type { BatchLimits, StageOptions } from './stage.ts';

/** Reads parts of frames, one result each. */
export type ReadPictures<Result> = (pictures: readonly PictureArea[]) => Promise<readonly Result[]>;

/** What a reading of the language thread is opened with. */
export interface LanguageOptions extends StageOptions {
  /** Gives the thread's vision-language model, which the first that asks for it opens and the thread releases. */
  readonly visionLanguage: () => Promise<VisionLanguage>;
}

/** A reading that is open. */
export interface Reading<Result> {
  readonly read: ReadPictures<Result>;
  /** Runs every batch size that has not been run (`warmUp`); `before` each may end that by throwing. */
  readonly warm: (before: () => void) => Promise<void>;
  /** As `Stage.releaseAbove`, where the reading has opened something for itself. */
  readonly releaseAbove?: (rows: number) => Promise<void>;
  /** Releases what the reading has opened for itself, where it has. */
  readonly release?: () => Promise<void>;
}

/** What a reading of the language thread says of itself. */
interface LanguageStageParts<Ask extends readonly unknown[], Result, Answer> {
  readonly open: (pack: Pack, options: LanguageOptions) => Promise<Reading<Result>>;
  /** What it is to see of a frame. */
  readonly boxes: (frame: Pick<Picture, 'width' | 'height'>, ...ask: Ask) => readonly Box[];
  /** The answer from a result per box. */
  readonly answer: (results: readonly Result[]) => Answer;
}

/** A reading of the vision-language model, in its own thread. */
export interface LanguageStage<Ask, Answer> {
  readonly thread: 'language';
  readonly batch: keyof BatchLimits;
  readonly boxes: (frame: Pick<Picture, 'width' | 'height'>, ask: Ask) => readonly Box[];
  readonly open: (pack: Pack, options: LanguageOptions) => Promise<Reading<unknown>>;
  /** What the results of `open` mean to who asked. */
  readonly answer: (results: readonly unknown[]) => Answer;
}

/** Takes a reading's place in the thread's order of work. What it gives settles when nothing of the call reads the frame any more. */
export function joinReading<Ask, Answer>(
  stage: Pick<LanguageStage<Ask, Answer>, 'boxes' | 'answer'>,
  queue: BatchQueue,
  batch: {
    readonly limit: number;
    readonly sizes?: readonly number[];
    readonly meter: StageMeter;
    readonly run: ReadPictures<unknown>;
  },
): (frame: Picture, ask: Ask, signal: AbortSignal) => Promise<Answer> {
  const submit = queue.stage(batch);
  return async (frame, ask, signal) => {
    const areas = stage.boxes(frame, ask).map((box) => pictureArea(frame, box));
    return stage.answer(await everySettled(areas.map((area) => submit(area, signal))));
  };
}

/** Declares a reading of the vision-language model. */
export function languageStage<Ask extends readonly unknown[], Result, Answer>(
  parts: LanguageStageParts<Ask, Result, Answer>,
): LanguageStage<Ask, Answer> {
  return {
    thread: 'language',
    batch: 'language',
    boxes: (frame, ask) => parts.boxes(frame, ...ask),
    open: parts.open,
    answer: (results) => parts.answer(results as readonly Result[]),
  };
}

/** Warms a reading with pictures that show nothing. */
export function warmSizes(
  read: (pictures: readonly PictureArea[]) => Promise<unknown>,
  sizes: readonly number[],
  before: () => void,
): Promise<void> {
  const blank = wholeArea({ width: 8, height: 8, pixels: new Uint8Array(8 * 8 * 3) });
  return warmUp(sizes, (count) => {
    before();
    return read(Array.from({ length: count }, () => blank));
  });
}
