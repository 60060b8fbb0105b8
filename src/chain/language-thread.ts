import type { ChainStage } from '../failure/stage.ts';
import { warmupCounts } from '../inference/batch.ts';
import { loadPack } from '../packs/load-pack.ts';
import { stageMeter, type StageMeter } from '../inference/stage-meter.ts';
import { BatchQueue } from '../inference/thread/batch-queue.ts';
import { serveThread } from '../inference/thread/serve-thread.ts';
import type { ThreadService } from '../inference/thread/serve-thread.ts';
import type { Picture } from '../vision/picture.ts';
import { openVisionLanguage } from './fastvlm/vision-language.ts';
import type { LanguageStage, ReadPictures } from './language-stage.ts';
import { ofStage, stagesIn } from './stages.ts';
import type { LanguageMethods, ThreadOptions } from './threads.ts';

interface Reader {
  readonly name: ChainStage;
  readonly stage: LanguageStage<never, unknown>;
  readonly meter: StageMeter;
  readonly read: ReadPictures<unknown>;
}

/** Entry of the language thread. */
await serveThread<LanguageMethods>((options) => openLanguageService(options as ThreadOptions));

async function openLanguageService(options: ThreadOptions): Promise<ThreadService<LanguageMethods>> {
  const { packDir, filesRoot, target, padding, batch } = options;
  const pack = await loadPack(packDir, { filesRoot });
  // Each size of the vision encoder takes 12 to 24 s to warm: one picture, as a scene has, and a full batch.
  const sizes = padding ? [...new Set([1, batch.language])] : [];
  const shared = await openVisionLanguage(pack, { target, padTo: sizes });
  const readers: Reader[] = [];
  for (const [name, stage] of stagesIn('language')) {
    const meter = stageMeter();
    readers.push({ name, stage, meter, read: await stage.open(shared, pack, { target, padTo: sizes, meter }) });
  }
  const blank: Picture = { width: 8, height: 8, pixels: new Uint8Array(8 * 8 * 3) };
  for (const { stage, read, meter } of readers) {
    const counts = stage.warms ? warmupCounts(sizes) : [];
    for (const count of counts) await read(Array.from({ length: count }, () => blank));
    Object.assign(meter, stageMeter());
  }

  const queue = new BatchQueue();
  const answers = new Map(
    readers.map(({ name, stage, meter, read }) => {
      const submit = queue.stage<Picture, unknown>({ limit: batch[stage.batch], meter, run: read });
      return [name, { stage, submit }] as const;
    }),
  );
  return {
    handlers: {
      answer: async ({ stage: name, pictures }, { signal }) => {
        const { stage, submit } = ofStage(answers, name);
        return stage.answer(await Promise.all(pictures.map((picture) => submit(picture, signal))));
      },
      meters: () => Object.fromEntries(readers.map(({ name, meter }) => [name, meter])),
    },
    close: shared.model.release,
  };
}
