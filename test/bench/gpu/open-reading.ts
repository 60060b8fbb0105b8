import { sharedVisionLanguage } from '../../../src/chain/fastvlm/vision-language.ts';
import type { LanguageOptions, Reading, ReadPictures } from '../../../src/chain/language-stage.ts';
import type { StageOptions } from '../../../src/chain/stage.ts';
import type { Pack } from '../../../src/packs/load-pack.ts';

/** A reading of the language thread by itself, with the model that it opens where it needs it. */
interface OpenReading<Result> {
  readonly read: ReadPictures<Result>;
  readonly release: () => Promise<void>;
}

/** Opens it as the language thread does. */
export async function openReading<Result>(
  open: (pack: Pack, options: LanguageOptions) => Promise<Reading<Result>>,
  pack: Pack,
  options: StageOptions,
): Promise<OpenReading<Result>> {
  const shared = sharedVisionLanguage(pack, options);
  const { read, release } = await open(pack, { ...options, visionLanguage: shared.get });
  return {
    read,
    release: async () => {
      await release?.();
      await shared.release();
    },
  };
}
