import { batchSizes, warmUp } from '../inference/batch.ts';
import { packOf } from '../packs/pack-of.ts';
import { stageMeter } from '../inference/stage-meter.ts';
import { BatchQueue } from '../inference/thread/batch-queue.ts';
import { serveThread } from '../inference/thread/serve-thread.ts';
import type { ThreadService } from '../inference/thread/serve-thread.ts';
import { createPixelKernel } from '../vision/kernel/pixel-kernel.ts';
import { pictureDifference } from '../vision/picture-difference.ts';
import type { Picture } from '../vision/picture.ts';
import { encodeJpeg } from './jpeg.ts';
import { lowerThread } from './lower-thread.ts';
import { ofThread } from './of-thread.ts';
import { pictureIn } from './shared-picture.ts';
import { assertNotInVain, type ThreadOptions, type VisionMethods } from './threads.ts';
import { VISION_STAGES } from './vision-stages.ts';

/** Entry of a vision thread. */
await serveThread<VisionMethods>((options) => openVisionService(options as ThreadOptions));

async function openVisionService(options: ThreadOptions): Promise<ThreadService<VisionMethods>> {
  const models = await openModels(options);
  const blank: Picture = { width: 128, height: 128, pixels: new Uint8Array(128 * 128 * 3).fill(128) };
  const queue = new BatchQueue();
  const answers = new Map<string, ReturnType<(typeof models)[number]['model']['join']>>();
  for (const { name, model, sizes, limit, meter } of models) {
    await warmUp(sizes, async (size) => {
      assertNotInVain(options);
      await model.warm(blank, size);
    });
    // The time of the first runs is no job's.
    Object.assign(meter, stageMeter());
    answers.set(name, model.join(queue, limit));
  }
  return {
    handlers: {
      // What is asked is the stage's own kind by its contract, which the caller's types have held.
      answer: ({ stage, frame, ask }, { signal }) => ofThread(answers, stage)(pictureIn(frame), ask as never, signal),
      jpeg: ({ frame, options: drawn }) => encodeJpeg(pictureIn(frame), drawn),
      difference: ({ frame, other }) => pictureDifference(pictureIn(frame), pictureIn(other)),
      meters: () => Object.fromEntries(models.map(({ name, meter }) => [name, meter])),
      lower: lowerThread(
        queue,
        models.map(({ model }) => model.releaseAbove),
      ),
    },
    close: async () => {
      for (const { model } of models) await model.release();
    },
  };
}

async function openModels({ pack: read, target, padding, batch, stages }: ThreadOptions) {
  const pack = packOf(read);
  const kernel = createPixelKernel();
  const models = [];
  for (const [name, stage] of Object.entries(VISION_STAGES)) {
    if (!stages.some((wanted) => wanted === name)) continue;
    const limit = batch[stage.batch];
    const sizes = padding ? batchSizes(limit) : [];
    const meter = stageMeter();
    const model = await stage.open(pack, { target, padTo: sizes, limit, meter, kernel });
    models.push({ name, limit, sizes, meter, model });
  }
  return models;
}
