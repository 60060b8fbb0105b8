import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { batchSizes } from '../../../../src/inference/batch.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { specOf } from '../../../../src/packs/spec-of.ts';
import { readOnnx } from '../../../../src/graphs/onnx/onnx-model.ts';
import { placeNodes } from '../../../../src/graphs/placement/place-nodes.ts';
import { yolov8Graph } from '../../../../src/graphs/prepare/yolov8-graph.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { resizeBilinear } from '../../../oracle/resize-bilinear.ts';
import {
  bothWays,
  constantDetector,
  preparedWay,
  withDetector,
  type DetectionStages,
} from '../../../harness/prepared-detector.ts';
import { goldenDir, readPicture } from '../../../harness/golden-folder.ts';
import { exportTest } from '../../../harness/export-test.ts';
import { tinyExport } from '../../../harness/tiny-export.ts';
import { numbers } from '../../../unit/vision/pictures.ts';
import { loadStreet, streetTest } from '../../chain/street-pack.ts';
import { blank, pictureOf, somebody } from '../../demo/pictures.ts';

/** A picture cut at its right and lower edge. */
function cutTo(picture: Picture, width: number, height: number): Picture {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = y * picture.width * 3;
    pixels.set(picture.pixels.subarray(start, start + width * 3), y * width * 3);
  }
  return { width, height, pixels };
}

describe('the demo pack', () => {
  let stages: DetectionStages;
  let padded: DetectionStages;
  const store = pictureOf(somebody({ x: 300 }), somebody({ id: 'other', x: 800, action: 'sitting' }));

  beforeAll(async () => {
    const pack = await loadPack('models/demo');
    stages = await bothWays(pack);
    padded = await bothWays(pack, batchSizes(16));
  });

  afterAll(async () => {
    await stages.release();
    await padded.release();
  });

  test.each([
    ['1280x720', store],
    ['an odd size', cutTo(store, 1279, 719)],
    ['1920x1080', resizeBilinear(store, 1920, 1080)],
    ['smaller than the input', resizeBilinear(store, 427, 239)],
    ['the input itself', resizeBilinear(store, 640, 640)],
    ['upright', cutTo(store, 500, 720)],
    ['nobody', blank(333, 517)],
    ['a strip that shrinks to nothing', blank(1, 2000)],
    ['one pixel', blank(1, 1, 7)],
  ])('%s: the same boxes as the plain way, to the last bit', async (_, frame) => {
    expect(await stages.prepared.run([frame])).toEqual(await stages.plain.run([frame]));
  });

  test('finds the two people at all', async () => {
    const [found] = await stages.prepared.run([store]);
    expect(found!.filter((detection) => detection.class === 'person')).toHaveLength(2);
    expect(found!.filter((detection) => detection.class === 'face')).toHaveLength(2);
  });

  test('a batch of mixed sizes gives each frame what it gets alone, in order, also when rows are filled up', async () => {
    const frames = [
      store,
      blank(333, 517),
      pictureOf(somebody({ x: 600 })),
      resizeBilinear(store, 640, 360),
      pictureOf(),
      resizeBilinear(pictureOf(somebody()), 640, 360),
    ];
    const alone = [];
    for (const frame of frames) alone.push(...(await stages.prepared.run([frame])));
    expect(alone.map((found) => found.length)).toEqual([4, 0, 2, 4, 0, 2]);
    expect(await stages.prepared.run(frames)).toEqual(alone);
    expect(await padded.prepared.run(frames)).toEqual(alone);
    // A buffer that held more and larger frames before must not shine through.
    expect(await padded.prepared.run(frames.slice(3, 5))).toEqual(alone.slice(3, 5));
  });
});

test('a model with 16-bit tensors gets the pixels and gives the boxes that it does the plain way', async () => {
  const raw = Float32Array.of(100, 400, 200, 300, 50, 60, 80, 90, 0.9, 0.5, 0.3, 0.75);
  const stages = await bothWays(await withDetector(constantDetector(raw, [1, 6, 2], 'float16')));
  const found = await stages.prepared.run([blank(1920, 1080)]);
  expect(found[0]).toHaveLength(2);
  expect(found).toEqual(await stages.plain.run([blank(1920, 1080)]));
  await stages.release();
});

test.each([13, 15, 18, 21])('at opset %i it is composed of what that opset has, for the GPU as well', async (opset) => {
  const raw = Float32Array.of(100, 400, 200, 300, 50, 60, 80, 90, 0.9, 0.5, 0.3, 0.75);
  const pack = await withDetector(constantDetector(raw, [1, 6, 2], 'float32', opset));
  const spec = specOf(pack.manifest, 'detection', 'yolov8');
  const composed = yolov8Graph(await readOnnx(pack.filePath(spec.model.file)), spec).toModel();
  const elsewhere = placeNodes(composed).filter(({ place }) => place === 'cpu' || place === 'unknown');
  expect(elsewhere).toEqual([]);
  const stages = await bothWays(pack);
  const frames = [blank(1920, 1080), blank(300, 200, 30)];
  expect(await stages.prepared.run(frames)).toEqual(await stages.plain.run(frames));
  await stages.release();
});

/** Scores, coarse places and sizes: equal scores, equal classes and boxes on top of each other in every case. */
function crowd(seed: number, anchors: number, classes: number, score: (next: () => number) => number): Float32Array {
  const next = numbers(seed);
  const raw = new Float32Array((4 + classes) * anchors);
  for (let i = 0; i < anchors; i++) {
    const box = [next() * 80, next() * 80, 1 + next() * 12, 1 + next() * 12].map((n) => Math.floor(n) * 8);
    const scores = Array.from({ length: classes }, () => score(next));
    [...box, ...scores].forEach((value, row) => (raw[row * anchors + i] = value));
  }
  return raw;
}

const eighths = (next: () => number): number => Math.floor(next() * 9) / 8;

async function crowdStages(raw: Float32Array, anchors: number, limits: object): Promise<DetectionStages> {
  const pack = await withDetector(constantDetector(raw, [1, raw.length / anchors, anchors]));
  return bothWays({ ...pack, manifest: { ...pack.manifest, detection: { ...pack.manifest.detection, ...limits } } });
}

test.each([1, 2, 3, 4, 5, 6])('crowd %i: suppression keeps the same boxes in the same order', async (seed) => {
  const limits = { iou: [0.3, 0.5, 0.7][seed % 3]!, maxDetections: [300, 20][seed % 2]! };
  const stages = await crowdStages(crowd(seed, 200, 2, eighths), 200, limits);
  // A strip of either kind, of which the letterbox leaves next to nothing, among them.
  const frames = [blank(1920, 1080), blank(1, 2000), blank(4000, 2)];
  const found = await stages.prepared.run(frames);
  expect(found[0]!.length).toBeGreaterThan(10);
  expect(found).toEqual(await stages.plain.run(frames));
  await stages.release();
});

test('every anchor of every frame may be above the threshold, and none', async () => {
  const anchors = 8400;
  const raw = crowd(7, anchors, 2, (next) => 0.5 + next() / 2);
  const all = await crowdStages(raw, anchors, { iou: 0.9 });
  const frames = [blank(1920, 1080), blank(1920, 1080), blank(640, 480)];
  const found = await all.prepared.run(frames);
  expect(found.map(({ length }) => length)).toEqual([300, 300, 300]);
  expect(found).toEqual(await all.plain.run(frames));
  await all.release();
  const none = await crowdStages(raw, anchors, { confidence: 1 });
  expect(await none.prepared.run(frames)).toEqual([[], [], []]);
  await none.release();
});

test.each([
  ['equal to the threshold in single precision', 0.4],
  ['next above it', Math.fround(0.4) + 2 ** -25],
])('a score %s counts as the plain way counts it', async (_, score) => {
  const stages = await crowdStages(Float32Array.of(100, 100, 50, 50, score, 0), 1, { confidence: 0.4 });
  const found = await stages.prepared.run([blank(640, 640)]);
  expect(found[0]).toHaveLength(score === 0.4 ? 0 : 1);
  expect(found).toEqual(await stages.plain.run([blank(640, 640)]));
  await stages.release();
});

// The first anchor is above the threshold and the second below it.
test.each(
  [NaN, Infinity, -Infinity].flatMap((value) => [0, 1, 5, 7, 9, 10, 11].map((place) => [value, place] as const)),
)('a model that answers %d at %i is refused, not read', async (value, place) => {
  const raw = Float32Array.of(100, 400, 200, 300, 50, 60, 80, 90, 0.9, 0.1, 0.3, 0.2);
  raw[place] = value;
  const stage = await preparedWay(await withDetector(constantDetector(raw, [1, 6, 2])));
  await expect(stage.run([blank(640, 640)])).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
    message: 'detector.onnx gave NaN or an infinite value for a frame; expected finite numbers',
  });
  await stage.release();
});

test('more classes than two have their say', async () => {
  const [anchors, classes] = [300, ['person', 'face', 'face']];
  const stages = await crowdStages(crowd(8, anchors, classes.length, eighths), anchors, { classes });
  const found = await stages.prepared.run([blank(1920, 1080)]);
  expect(found[0]!.length).toBeGreaterThan(10);
  expect(found).toEqual(await stages.plain.run([blank(1920, 1080)]));
  await stages.release();
});

test('a detector of one class is prepared too', async () => {
  const raw = Float32Array.of(100, 400, 200, 300, 50, 60, 80, 90, 0.9, 0.3);
  const pack = await withDetector(constantDetector(raw, [1, 5, 2]));
  const { detection } = pack.manifest;
  const stages = await bothWays({
    ...pack,
    manifest: { ...pack.manifest, detection: { ...detection, classes: ['person'] } as typeof detection },
  });
  const found = await stages.prepared.run([blank(1000, 500)]);
  expect(found[0]).toHaveLength(1);
  expect(found).toEqual(await stages.plain.run([blank(1000, 500)]));
  await stages.release();
});

exportTest.each(['fp32', 'fp16'])(
  'the official architecture, scaled down, in %s: the same boxes as the plain way',
  async (precision) => {
    const stages = await bothWays(await loadPack(join(await tinyExport(), precision)));
    const frames = [pictureOf(somebody()), blank(333, 517, 90)];
    const found = await stages.prepared.run(frames);
    // Random weights see something everywhere: suppression and the cut have work to do.
    expect(found[0]!.length).toBeGreaterThan(20);
    expect(found).toEqual(await stages.plain.run(frames));
    await stages.release();
  },
  300_000,
);

const clipFrame = join(goldenDir, 'letterbox', 'clip860.png');
const hasClipFrame = existsSync(clipFrame);
const where = hasClipFrame ? '' : ` (there is no ${clipFrame}; set GOLDEN_DIR)`;
(hasClipFrame ? streetTest : test.skip)(`street footage: the same boxes as the plain way${where}`, async () => {
  const stages = await bothWays(await loadStreet());
  const frame = await readPicture(clipFrame);
  const frames = [frame, cutTo(frame, 767, 431), resizeBilinear(frame, 1920, 1080), resizeBilinear(frame, 413, 640)];
  const found = await stages.prepared.run(frames);
  expect(found[0]!.length).toBeGreaterThan(3);
  expect(found).toEqual(await stages.plain.run(frames));
  await stages.release();
});
