import { batchSizes, warmupCounts } from '../inference/batch.ts';
import { loadPack } from '../packs/load-pack.ts';
import { stageMeter } from '../inference/stage-meter.ts';
import type { StageMeter } from '../inference/stage-meter.ts';
import { BatchQueue } from '../inference/thread/batch-queue.ts';
import { serveThread } from '../inference/thread/serve-thread.ts';
import type { ThreadService } from '../inference/thread/serve-thread.ts';
import type { Picture } from '../vision/picture.ts';
import { FrameStore } from './frame-store.ts';
import { encodeJpeg } from './jpeg.ts';
import { cutBox } from './cut-box.ts';
import { openAgeGender, openDetection, openOrientation } from './detection/open-detection.ts';
import type { Stage } from './stage.ts';
import type { ThreadOptions, VisionMethods } from './threads.ts';

/** Entry of the vision thread. */
await serveThread<VisionMethods>((options) => openVisionService(options as ThreadOptions));

async function openVisionService(options: ThreadOptions): Promise<ThreadService<VisionMethods>> {
  const { packDir, filesRoot, target, padding, batch } = options;
  const pack = await loadPack(packDir, { filesRoot });
  const meters = { detection: stageMeter(), ageGender: stageMeter(), orientation: stageMeter() };
  const frameSizes = padding ? batchSizes(batch.detection) : [];
  const peopleSizes = padding ? batchSizes(batch.people) : [];
  const people = { target, padTo: peopleSizes };
  const detection = await openDetection(pack, { target, padTo: frameSizes, meter: meters.detection });
  const ageGender = await openAgeGender(pack, { ...people, meter: meters.ageGender });
  const orientation = await openOrientation(pack, { ...people, meter: meters.orientation });

  const frame: Picture = { width: 128, height: 128, pixels: new Uint8Array(128 * 128 * 3).fill(128) };
  const box = { x1: 0, y1: 0, x2: 128, y2: 128 };
  const person = { class: 'person', box, score: 1 } as const;
  const pair = { person: 0, face: null };
  await warm(detection, frame, frameSizes, meters.detection);
  await warm(ageGender, { frame, detections: [person], pair }, peopleSizes, meters.ageGender);
  await warm(orientation, { frame, box }, peopleSizes, meters.orientation);

  const queue = new BatchQueue();
  const detect = queue.stage({ limit: batch.detection, meter: meters.detection, run: detection.run });
  const readAgeGender = queue.stage({ limit: batch.people, meter: meters.ageGender, run: ageGender.run });
  const readOrientation = queue.stage({ limit: batch.people, meter: meters.orientation, run: orientation.run });
  const frames = new FrameStore();
  return {
    handlers: {
      addFrame: ({ handle, picture }) => frames.add(handle, picture),
      releaseFrame: ({ handle }) => frames.release(handle),
      detect: ({ handle }, { signal }) => detect(frames.get(handle), signal),
      ageGender: ({ handle, detections, pairs }, { signal }) => {
        const frame = frames.get(handle);
        return Promise.all(pairs.map((pair) => readAgeGender({ frame, detections, pair }, signal)));
      },
      orientation: ({ handle, boxes }, { signal }) => {
        const frame = frames.get(handle);
        return Promise.all(boxes.map((box) => readOrientation({ frame, box }, signal)));
      },
      crops: ({ handle, boxes }, { transfer }) => {
        const crops = boxes.map((box) => cutBox(frames.get(handle), box));
        transfer(...crops.map((crop) => crop.pixels.buffer));
        return crops;
      },
      jpeg: ({ handle, options }) => encodeJpeg(frames.get(handle), options),
      meters: () => meters,
    },
    close: async () => {
      for (const stage of [detection, ageGender, orientation]) await stage.release();
    },
  };
}

/** Meets every batch size once, so that no job pays for the first run of a shape, and forgets the time it took. */
async function warm<Item, Result>(
  stage: Stage<Item, Result>,
  item: Item,
  sizes: readonly number[],
  meter: StageMeter,
): Promise<void> {
  for (const count of warmupCounts(sizes)) await stage.run(Array.from({ length: count }, () => item));
  Object.assign(meter, stageMeter());
}
