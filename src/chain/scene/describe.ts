import { Failure } from '../../failure/failure.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { answerText, generate } from '../fastvlm/generate.ts';
import type { VisionLanguage } from '../fastvlm/vision-language.ts';
import type { ReadPictures } from '../language-stage.ts';
import type { StageOptions } from '../stage.ts';

/** A description per picture, '' where the model has no word; throws SCENE_FAILED where the pack has no scene prompt. */
export async function openDescribe(
  { model, prepare }: VisionLanguage,
  pack: Pack,
  { meter }: Pick<StageOptions, 'meter'>,
): Promise<ReadPictures<string>> {
  const { scene } = pack.manifest;
  if (scene === null) {
    return async () => {
      throw new Failure('SCENE_FAILED', `the model pack ${pack.manifest.name} has no scene prompt`);
    };
  }
  const start = await prepare(scene.question, meter);
  return async (frames) => {
    const answers = await generate(model, await start(frames, meter), scene.maxNewTokens, meter);
    return answers.map((ids) => answerText(model, ids));
  };
}
