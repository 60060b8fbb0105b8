import { Failure } from '../failure/failure.ts';
import { warmupCounts } from '../inference/batch.ts';
import { loadPack } from '../packs/load-pack.ts';
import { stageMeter } from '../inference/stage-meter.ts';
import { BatchQueue } from '../inference/thread/batch-queue.ts';
import { serveThread } from '../inference/thread/serve-thread.ts';
import type { ThreadService } from '../inference/thread/serve-thread.ts';
import type { Picture } from '../vision/picture.ts';
import type { ActionReading } from './model-chain.ts';
import { openFastVlm } from './action/read-actions.ts';
import type { LanguageMethods, ThreadOptions } from './threads.ts';

/** Entry of the language thread. */
await serveThread<LanguageMethods>((options) => openLanguageService(options as ThreadOptions));

async function openLanguageService(options: ThreadOptions): Promise<ThreadService<LanguageMethods>> {
  const { packDir, filesRoot, target, padding, batch } = options;
  const pack = await loadPack(packDir, { filesRoot });
  const meters = { action: stageMeter(), scene: stageMeter() };
  // Each size of the vision encoder takes 12 to 24 s to warm: one picture, as a scene has, and a full batch.
  const sizes = padding ? [...new Set([1, batch.language])] : [];
  const model = await openFastVlm(pack, { target, padTo: sizes, ...meters });
  const blank: Picture = { width: 8, height: 8, pixels: new Uint8Array(8 * 8 * 3) };
  for (const count of warmupCounts(sizes)) {
    await model.readActions(Array.from({ length: count }, () => blank));
  }
  Object.assign(meters.action, stageMeter());
  Object.assign(meters.scene, stageMeter());

  const queue = new BatchQueue();
  const readAction = queue.stage<Picture, ActionReading>({
    limit: batch.language,
    meter: meters.action,
    run: model.readActions,
  });
  const describe = queue.stage<Picture, string>({ limit: batch.language, meter: meters.scene, run: model.describe });
  return {
    handlers: {
      action: ({ crops }, { signal }) => Promise.all(crops.map((crop) => readAction(crop, signal))),
      describe: async ({ frame }, { signal }) => {
        const text = await describe(frame, signal);
        if (text !== '') return text;
        throw new Failure('SCENE_FAILED', 'the language model ended its description before the first word');
      },
      meters: () => meters,
    },
    close: model.release,
  };
}
