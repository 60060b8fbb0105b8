import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import sharp from 'sharp';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import type { FrameHandle, ModelChain } from '../../../src/chain/model-chain.ts';
import { Interruption } from '../../../src/failure/failure.ts';
import type { Box } from '../../../src/vision/box.ts';
import { goldenVlm, hasStreet, largestDifference, loadStreet, streetDir, streetTest } from './street-pack.ts';
import { videoFrames } from '../../harness/video-frames.ts';
import type { VideoFrame } from '../../harness/video-frames.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

const clip = resolve(streetDir, '../../videos/one-by-one-person-detection.mp4');
const golden = hasStreet ? goldenVlm() : { crops: [], promptTokenIds: [], imageTokenStart: 0 };
const signal = new AbortController().signal;

let chain: ModelChain;
let frames: ReadonlyMap<number, VideoFrame>;

beforeAll(async () => {
  if (!hasStreet) return;
  chain = await openChain();
  const found = await videoFrames(
    clip,
    golden.crops.map((crop) => crop.source.frameIndex),
    { width: 768, height: 432 },
  );
  frames = new Map(found.map((frame) => [frame.index, frame]));
});

afterAll(async () => {
  if (hasStreet) await chain.close();
});

async function openChain(options: { padBatches?: boolean } = {}): Promise<ModelChain> {
  return createModelChain({
    pack: await loadStreet(),
    device: 'cpu',
    threads: { vision: 1, language: 1 },
    batch: { detection: 4, people: 8, language: 4 },
    localScenes: true,
    ...options,
  });
}

function addFrame(to: ModelChain, index: number): FrameHandle {
  return to.addFrame(sharedFrame({ ...frames.get(index)!, t: index / 10 }));
}

/** The crop with a black column and row behind it: the reference crop of a body never reaches the last ones. */
async function addPng(name: string): Promise<{ handle: FrameHandle; box: Box }> {
  const { data, info } = await sharp(join(streetDir, 'golden', name))
    .removeAlpha()
    .extend({ right: 1, bottom: 1, background: '#000000' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const handle = chain.addFrame(sharedFrame({ width, height, pixels: data }));
  return { handle, box: { x1: 0, y1: 0, x2: width - 1, y2: height - 1 } };
}

interface Expected {
  readonly samples: readonly {
    readonly frameIndex: number;
    readonly detections: readonly { readonly box: readonly number[]; readonly score: number }[];
  }[];
}

streetTest('detections of several frames at once are the expected ones', async () => {
  const expected = JSON.parse(readFileSync(join(streetDir, 'expected-detections.json'), 'utf8')) as Expected;
  const handles = golden.crops.map((crop) => addFrame(chain, crop.source.frameIndex));
  const found = await Promise.all(handles.map((handle) => chain.detection(handle, signal)));
  for (const [i, crop] of golden.crops.entries()) {
    const sample = expected.samples.find((s) => s.frameIndex === crop.source.frameIndex)!;
    expect(found[i]!.length).toBe(sample.detections.length);
    for (const [j, detection] of found[i]!.entries()) {
      const { x1, y1, x2, y2 } = detection.box;
      expect(detection.class).toBe('person');
      expect(largestDifference([x1, y1, x2, y2], sample.detections[j]!.box)).toBeLessThan(0.5);
      expect(Math.abs(detection.score - sample.detections[j]!.score)).toBeLessThan(0.002);
    }
  }
  for (const handle of handles) chain.releaseFrame(handle);
});

streetTest('orientation is read from the whole frame', async () => {
  for (const crop of golden.crops) {
    const handle = addFrame(chain, crop.source.frameIndex);
    const [x1, y1, x2, y2] = crop.source.box as [number, number, number, number];
    const [reading] = await chain.orientation(handle, [{ x1, y1, x2, y2 }], signal);
    expect(reading!.degrees).toBe(crop.orientation.degrees);
    chain.releaseFrame(handle);
  }
});

streetTest('age and gender of a body without a face', async () => {
  for (const crop of golden.crops) {
    const { handle, box } = await addPng(crop.png);
    const detections = [{ class: 'person', box, score: 1 }] as const;
    const [reading] = await chain.ageGender(handle, detections, [{ person: 0, face: null }], signal);
    expect(Math.abs(reading!.age - crop.ageGender.age)).toBeLessThan(0.1);
    expect(reading!.gender).toBe(crop.ageGender.gender);
    expect(Math.abs(reading!.genderScore - crop.ageGender.genderScore)).toBeLessThan(1e-3);
    chain.releaseFrame(handle);
  }
});

streetTest('actions and label scores are the reference ones, from the picture on', async () => {
  for (const crop of golden.crops) {
    const { handle, box } = await addPng(crop.png);
    const [reading] = await chain.action(handle, [box], signal);
    expect(reading!.label).toBe(crop.action);
    const expected = chain.description.vocabulary.map((label) => crop.labelLogProbs[label]!.sum);
    expect(largestDifference(reading!.labelScores, expected)).toBeLessThan(1e-3);
    chain.releaseFrame(handle);
  }
});

streetTest('every result is independent of what else is in the batch and of padding', async () => {
  const padded = await openChain({ padBatches: true });
  try {
    const [single, batched] = [chain, padded];
    const boxes = golden.crops
      .map(({ source: { box } }) => ({ x1: box[0]!, y1: box[1]!, x2: box[2]!, y2: box[3]! }))
      .slice(0, 3);
    const detections = boxes.map((box) => ({ class: 'person', box, score: 1 }) as const);
    const one = addFrame(single, 87);
    const all = addFrame(batched, 87);
    const actions = await batched.action(all, boxes, signal);
    const angles = await batched.orientation(all, boxes, signal);
    const pairs = boxes.map((_, person) => ({ person, face: null }));
    const ages = await batched.ageGender(all, detections, pairs, signal);
    for (const [i, box] of boxes.entries()) {
      const [action] = await single.action(one, [box], signal);
      expect(largestDifference(action!.labelScores, actions[i]!.labelScores)).toBeLessThan(1e-4);
      const [angle] = await single.orientation(one, [box], signal);
      expect(angle!.degrees).toBe(angles[i]!.degrees);
      expect(angle!.score).toBeCloseTo(angles[i]!.score, 4);
      const [age] = await single.ageGender(one, detections, [pairs[i]!], signal);
      expect(age?.age ?? null).toEqual(ages[i]?.age ?? null);
    }
  } finally {
    await padded.close();
  }
});

streetTest('a scene text is the same each time and alone as among others', async () => {
  const handles = [87, 934, 87].map((index) => addFrame(chain, index));
  const texts = await Promise.all(handles.map((handle) => chain.scene(handle, signal)));
  expect(texts[0]).toBe(texts[2]);
  expect(await chain.scene(handles[1]!, signal)).toBe(texts[1]);
});

streetTest('a highlight image has the frame with the box drawn on it', async () => {
  const handle = addFrame(chain, 87);
  const box = { x1: 100, y1: 60, x2: 200, y2: 300 };
  const plain = await chain.jpeg(handle, {}, signal);
  const drawn = await chain.jpeg(handle, { box, caption: 'grabbing <8.7 s>' }, signal);
  const small = await chain.jpeg(handle, { box, maxWidth: 384, quality: 60 }, signal);
  const pixel = async (jpeg: Uint8Array, x: number, y: number): Promise<number[]> => {
    const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    return [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
  };
  const [red, green, blue] = await pixel(drawn, 100, 200);
  expect(red! - Math.max(green!, blue!)).toBeGreaterThan(60);
  const [r, g, b] = await pixel(plain, 100, 200);
  expect(r! - Math.max(g!, b!)).toBeLessThan(30);
  expect(await sharp(drawn).metadata()).toMatchObject({ format: 'jpeg', width: 768, height: 432 });
  expect(await sharp(small).metadata()).toMatchObject({ width: 384, height: 216 });
});

streetTest('handles that are unknown or released are refused', async () => {
  const handle = addFrame(chain, 87);
  chain.releaseFrame(handle);
  chain.releaseFrame(handle);
  await expect(chain.detection(handle, signal)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  await expect(chain.scene(999_999 as FrameHandle, signal)).rejects.toThrow(/no frame has the handle 999999/);
  const pixels = new Uint8Array(5);
  expect(() => chain.addFrame(sharedFrame({ index: 3, width: 2, height: 2, pixels }))).toThrow(/frame 3 has 5 bytes/);
});

streetTest('work that has begun survives the release of its frame; an abort rejects with its reason', async () => {
  const handle = addFrame(chain, 87);
  const detections = chain.detection(handle, signal);
  chain.releaseFrame(handle);
  expect((await detections).length).toBe(1);

  const other = addFrame(chain, 87);
  const controller = new AbortController();
  const aborted = chain.scene(other, controller.signal);
  const reason = new Interruption('deadline', 'too long');
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  chain.releaseFrame(other);
});

streetTest('timings count runs, items and time per stage', async () => {
  const before = await chain.timings();
  const handle = addFrame(chain, 87);
  await chain.detection(handle, signal);
  const after = await chain.timings();
  expect(after.detection.items - before.detection.items).toBe(1);
  expect(after.detection.runs - before.detection.runs).toBe(1);
  expect(after.detection.runMs).toBeGreaterThan(before.detection.runMs);
  expect(after.detection.totalMs).toBeGreaterThanOrEqual(after.detection.runMs);
  expect(after.orientation.items).toBe(before.orientation.items);
  chain.releaseFrame(handle);
});

streetTest('close rejects what is pending and ends both threads', async () => {
  const own = await openChain();
  const handle = addFrame(own, 87);
  const pending = own.scene(handle, signal);
  const closed = own.close();
  await expect(pending).rejects.toBeInstanceOf(Interruption);
  await closed;
  await expect(own.timings()).rejects.toMatchObject({ kind: 'shutdown' });
});
