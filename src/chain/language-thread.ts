import { packOf } from '../packs/pack-of.ts';
import { stageMeter, type StageMeter } from '../inference/stage-meter.ts';
import { BatchQueue } from '../inference/thread/batch-queue.ts';
import { serveThread } from '../inference/thread/serve-thread.ts';
import type { ThreadService } from '../inference/thread/serve-thread.ts';
import { sharedVisionLanguage } from './fastvlm/vision-language.ts';
import { joinReading, type LanguageStage, type Reading } from './language-stage.ts';
import { LANGUAGE_STAGES } from './language-stages.ts';
import { lowerThread } from './lower-thread.ts';
import { ofThread } from './of-thread.ts';
import { createPixelKernel } from '../vision/kernel/pixel-kernel.ts';
import { pictureIn } from './shared-picture.ts';
import { assertNotInVain, type LanguageMethods, type ThreadOptions } from './threads.ts';

interface OpenStage {
  readonly name: string;
  readonly stage: LanguageStage<never, unknown>;
  readonly meter: StageMeter;
  readonly reading: Reading<unknown>;
}

/** Entry of the language thread. */
await serveThread<LanguageMethods>((options) => openLanguageService(options as ThreadOptions));

async function openLanguageService(options: ThreadOptions): Promise<ThreadService<LanguageMethods>> {
  const { target, padding, batch } = options;
  const pack = packOf(options.pack);
  // Each size of the vision encoder takes 12 to 24 s to warm: one picture, as a scene has, and a full batch.
  const sizes = padding ? [...new Set([1, batch.language])] : [];
  const opened = { target, padTo: sizes, limit: batch.language, kernel: createPixelKernel() };
  const shared = sharedVisionLanguage(pack, opened);
  const stages: OpenStage[] = [];
  for (const [name, stage] of Object.entries(LANGUAGE_STAGES)) {
    if (!options.stages.some((wanted) => wanted === name)) continue;
    const meter = stageMeter();
    const reading = await stage.open(pack, { ...opened, meter, visionLanguage: shared.get });
    stages.push({ name, stage, meter, reading });
  }
  const queue = new BatchQueue();
  const answers = new Map<string, ReturnType<typeof joinReading<never, unknown>>>();
  for (const { name, stage, meter, reading } of stages) {
    await reading.warm(() => assertNotInVain(options));
    Object.assign(meter, stageMeter());
    answers.set(name, joinReading(stage, queue, { limit: batch[stage.batch], sizes, meter, run: reading.read }));
  }
  return {
    handlers: {
      // What is asked is the stage's own kind by its contract, which the caller's types have held.
      answer: ({ stage, frame, ask }, { signal }) => ofThread(answers, stage)(pictureIn(frame), ask as never, signal),
      meters: () => Object.fromEntries(stages.map(({ name, meter }) => [name, meter])),
      lower: lowerThread(queue, [...stages.flatMap(({ reading }) => reading.releaseAbove ?? []), shared.releaseAbove]),
    },
    close: async () => {
      for (const { reading } of stages) await reading.release?.();
      await shared.release();
    },
  };
}
