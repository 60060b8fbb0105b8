import type { StageMeter } from '../../inference/stage-meter.ts';
import type { Pack } from '../../packs/load-pack.ts';
import type { PictureArea } from '../../vision/picture-area.ts';
import type { StageOptions } from '../stage.ts';
import type { DecoderStep } from './decoder.ts';
import { encodeInSizes, pictureEncoder } from './encode-pictures.ts';
import { openLanguageModel, prefill, preparePrompt } from './language-model.ts';
import type { LanguageModel } from './language-model.ts';
import { buildPrompt } from './prompt.ts';

/** Runs a question's prompt on pictures, a row each; the logits of the last position start the answers. */
type StartAnswers = (pictures: readonly PictureArea[], meter: StageMeter) => Promise<DecoderStep>;

/** The vision-language model, to be asked any question about pictures. */
export interface VisionLanguage {
  readonly model: LanguageModel;
  /**
   * Runs what every picture of a prompt shares. `padTo`: sizes to fill the vision encoder's batches up to; empty: as many rows as
   * pictures.
   */
  readonly prepare: (question: string, options: Pick<StageOptions, 'padTo' | 'meter'>) => Promise<StartAnswers>;
}

type OpenOptions = Pick<StageOptions, 'target' | 'kernel' | 'limit'>;

/** Opens the pack's vision-language model. */
export async function openVisionLanguage(pack: Pack, options: OpenOptions): Promise<VisionLanguage> {
  const model = await openLanguageModel(pack, options.target);
  const encode = pictureEncoder(model, options.kernel, options.limit);
  return {
    model,
    prepare: async (question, { padTo, meter }) => {
      const prompt = await preparePrompt(model, buildPrompt(model.tokenizer, model.language, question), meter);
      return async (pictures, asked) => {
        // The decoder has no convolutions and copies its cache at every step: it gets no row that nobody reads.
        const features = await encodeInSizes(encode, pictures, padTo, asked);
        return prefill(model, prompt, features, pictures.length, asked);
      };
    },
  };
}

/** The vision-language model of a thread, which not every one of its readings needs. */
interface SharedVisionLanguage {
  /** Opens it at the first call. */
  readonly get: () => Promise<VisionLanguage>;
  /** As `Stage.releaseAbove`. */
  readonly releaseAbove: (rows: number) => Promise<void>;
  readonly release: () => Promise<void>;
}

/** The pack's vision-language model, to be opened by the first that asks for it. */
export function sharedVisionLanguage(pack: Pack, options: OpenOptions): SharedVisionLanguage {
  let opening: Promise<VisionLanguage> | null = null;
  return {
    get: () => (opening ??= openVisionLanguage(pack, options)),
    releaseAbove: async (rows) => (await opening)?.model.releaseAbove(rows),
    release: async () => (await opening)?.model.release(),
  };
}
