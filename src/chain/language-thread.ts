import { warmupCounts } from '../inference/batch.ts';
import { packOf } from '../packs/pack-of.ts';
import { stageMeter, type StageMeter } from '../inference/stage-meter.ts';
import { BatchQueue } from '../inference/thread/batch-queue.ts';
import { serveThread } from '../inference/thread/serve-thread.ts';
import type { ThreadService } from '../inference/thread/serve-thread.ts';
import { openVisionLanguage } from './fastvlm/vision-language.ts';
import { joinReading, type LanguageStage, type ReadPictures } from './language-stage.ts';
import { LANGUAGE_STAGES } from './language-stages.ts';
import { ofThread } from './of-thread.ts';
import { createPixelKernel } from '../vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../vision/picture-area.ts';
import { pictureIn } from './shared-picture.ts';
import type { LanguageMethods, ThreadOptions } from './threads.ts';

interface Reader {
  readonly name: string;
  readonly stage: LanguageStage<never, unknown>;
  readonly meter: StageMeter;
  readonly read: ReadPictures<unknown>;
}

/** Entry of the language thread. */
await serveThread<LanguageMethods>((options) => openLanguageService(options as ThreadOptions));

async function openLanguageService(options: ThreadOptions): Promise<ThreadService<LanguageMethods>> {
  const { target, padding, batch } = options;
  const pack = packOf(options.pack);
  // Each size of the vision encoder takes 12 to 24 s to warm: one picture, as a scene has, and a full batch.
  const sizes = padding ? [...new Set([1, batch.language])] : [];
  const kernel = createPixelKernel();
  const opened = { target, padTo: sizes, limit: batch.language, kernel };
  const shared = await openVisionLanguage(pack, opened);
  const readers: Reader[] = [];
  for (const [name, stage] of Object.entries(LANGUAGE_STAGES)) {
    if (!options.stages.some((wanted) => wanted === name)) continue;
    const meter = stageMeter();
    readers.push({ name, stage, meter, read: await stage.open(shared, pack, { ...opened, meter }) });
  }
  const blank = wholeArea({ width: 8, height: 8, pixels: new Uint8Array(8 * 8 * 3) });
  for (const { stage, read, meter } of readers) {
    const counts = stage.warms ? warmupCounts(sizes) : [];
    for (const count of counts) await read(Array.from({ length: count }, () => blank));
    Object.assign(meter, stageMeter());
  }

  const queue = new BatchQueue();
  const answers = new Map(
    readers.map(({ name, stage, meter, read }) => {
      return [name, joinReading(stage, queue, { limit: batch[stage.batch], meter, run: read })] as const;
    }),
  );
  return {
    handlers: {
      // What is asked is the stage's own kind by its contract, which the caller's types have held.
      answer: ({ stage, frame, ask }, { signal }) => ofThread(answers, stage)(pictureIn(frame), ask as never, signal),
      meters: () => Object.fromEntries(readers.map(({ name, meter }) => [name, meter])),
    },
    close: shared.model.release,
  };
}
