import { paddedCount } from '../../inference/batch.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import type { Pack } from '../../packs/load-pack.ts';
import type { PictureArea } from '../../vision/picture-area.ts';
import type { StageOptions } from '../stage.ts';
import type { DecoderStep } from './decoder.ts';
import { pictureEncoder } from './encode-pictures.ts';
import { openLanguageModel, prefill, preparePrompt } from './language-model.ts';
import type { LanguageModel } from './language-model.ts';
import { buildPrompt } from './prompt.ts';

/** Runs a question's prompt on pictures, a row each; the logits of the last position start the answers. */
type StartAnswers = (pictures: readonly PictureArea[], meter: StageMeter) => Promise<DecoderStep>;

/** The vision-language model, to be asked any question about pictures. */
export interface VisionLanguage {
  readonly model: LanguageModel;
  /** Runs what every picture of a prompt shares. */
  readonly prepare: (question: string, meter: StageMeter) => Promise<StartAnswers>;
}

/**
 * Opens the pack's vision-language model. `padTo`: sizes to fill the vision encoder's batches up to, so that no other is planned;
 * empty: as many rows as pictures.
 */
export async function openVisionLanguage(pack: Pack, options: Omit<StageOptions, 'meter'>): Promise<VisionLanguage> {
  const model = await openLanguageModel(pack, options.target);
  const encode = pictureEncoder(model, options.kernel, options.limit);
  return {
    model,
    prepare: async (question, meter) => {
      const prompt = await preparePrompt(model, buildPrompt(model.tokenizer, model.language, question), meter);
      return async (pictures, asked) => {
        const rows = paddedCount(pictures.length, options.padTo);
        const features = await encode(pictures, rows, asked);
        // The decoder has no convolutions and copies its cache at every step: it gets no row that nobody reads.
        const used = features.subarray(0, (features.length / rows) * pictures.length);
        return prefill(model, prompt, used, pictures.length, asked);
      };
    },
  };
}
