import { batchSizes, warmupCounts } from '../inference/batch.ts';
import { loadPack } from '../packs/load-pack.ts';
import { stageMeter } from '../inference/stage-meter.ts';
import { BatchQueue } from '../inference/thread/batch-queue.ts';
import { serveThread } from '../inference/thread/serve-thread.ts';
import type { ThreadService } from '../inference/thread/serve-thread.ts';
import type { Picture } from '../vision/picture.ts';
import { FrameStore } from './frame-store.ts';
import { encodeJpeg } from './jpeg.ts';
import { cutBox } from './cut-box.ts';
import { ofStage, stagesIn } from './stages.ts';
import type { ThreadOptions, VisionMethods } from './threads.ts';

/** Entry of the vision thread. */
await serveThread<VisionMethods>((options) => openVisionService(options as ThreadOptions));

async function openVisionService(options: ThreadOptions): Promise<ThreadService<VisionMethods>> {
  const models = await openModels(options);
  const blank: Picture = { width: 128, height: 128, pixels: new Uint8Array(128 * 128 * 3).fill(128) };
  for (const { model, sizes, meter } of models) {
    // Each batch size once, so that no job pays for the first run of a shape; the time it took is forgotten.
    for (const size of warmupCounts(sizes)) await model.warm(blank, size);
    Object.assign(meter, stageMeter());
  }
  const queue = new BatchQueue();
  const answers = new Map(models.map(({ name, model, limit }) => [name, model.join(queue, limit)]));
  const readers = new Map(stagesIn('language'));
  const frames = new FrameStore();
  return {
    handlers: {
      addFrame: ({ handle, picture }) => frames.add(handle, picture),
      releaseFrame: ({ handle }) => frames.release(handle),
      // What is asked is the stage's own kind by its contract, which the caller's types have held.
      answer: ({ stage, handle, ask }, { signal }) => ofStage(answers, stage)(frames.get(handle), ask as never, signal),
      crops: ({ stage, handle, ask }, { transfer }) => {
        const frame = frames.get(handle);
        const crops = ofStage(readers, stage)
          .boxes(frame, ask as never)
          .map((box) => cutBox(frame, box));
        transfer(...crops.map((crop) => crop.pixels.buffer));
        return crops;
      },
      jpeg: ({ handle, options: drawn }) => encodeJpeg(frames.get(handle), drawn),
      meters: () => Object.fromEntries(models.map(({ name, meter }) => [name, meter])),
    },
    close: async () => {
      for (const { model } of models) await model.release();
    },
  };
}

async function openModels({ packDir, filesRoot, target, padding, batch }: ThreadOptions) {
  const pack = await loadPack(packDir, { filesRoot });
  const models = [];
  for (const [name, stage] of stagesIn('vision')) {
    const limit = batch[stage.batch];
    const sizes = padding ? batchSizes(limit) : [];
    const meter = stageMeter();
    models.push({ name, limit, sizes, meter, model: await stage.open(pack, { target, padTo: sizes, meter }) });
  }
  return models;
}
