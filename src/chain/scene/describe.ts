import { Failure } from '../../failure/failure.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { answerText, generate } from '../fastvlm/generate.ts';
import { warmSizes, type LanguageOptions, type Reading } from '../language-stage.ts';

/**
 * A description per picture, '' where the model has no word. Where the pack has no scene prompt a reading throws SCENE_FAILED, and no
 * model is opened for it.
 */
export async function openDescribe(
  pack: Pack,
  { padTo, meter, visionLanguage }: Pick<LanguageOptions, 'padTo' | 'meter' | 'visionLanguage'>,
): Promise<Reading<string>> {
  const { scene, name } = pack.manifest;
  if (scene === null) return withoutPrompt(name);
  const { model, prepare } = await visionLanguage();
  // One picture is all that a video has to describe at a time, and a further size of the encoder takes memory and seconds.
  const sizes = padTo.slice(0, 1);
  const start = await prepare(scene.question, { padTo: sizes, meter });
  return {
    read: async (frames) => {
      const answers = await generate(model, await start(frames, meter), scene.maxNewTokens, meter);
      return answers.map((ids) => answerText(model, ids));
    },
    // What follows the encoder and the prompt has another shape at every step.
    warm: async (before) => {
      if (sizes.length > 0) await warmSizes((frames) => start(frames, meter), sizes, before);
    },
  };
}

function withoutPrompt(pack: string): Reading<string> {
  return {
    read: async () => {
      throw new Failure('SCENE_FAILED', `the model pack ${pack} has no scene prompt`);
    },
    warm: () => Promise.resolve(),
  };
}
