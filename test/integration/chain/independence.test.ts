import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pictureArea, wholeArea } from '../../../src/vision/picture-area.ts';
import { openFastVlm } from '../../harness/fast-vlm.ts';
import { openAgeGender } from '../../../src/chain/age-gender/open-age-gender.ts';
import { openDetection } from '../../../src/chain/detection/open-detection.ts';
import { openOrientation } from '../../../src/chain/orientation/open-orientation.ts';
import type { Stage, StageOptions } from '../../../src/chain/stage.ts';
import type { Detection } from '../../../src/chain/model-chain.ts';
import { batchSizes } from '../../../src/inference/batch.ts';
import { loadPack, type Pack } from '../../../src/packs/load-pack.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { resizeBilinear } from '../../oracle/resize-bilinear.ts';
import { type DetrPack, pictureBeforeWall, writeDetrPack } from '../../harness/detr-pack.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { blank, boxOf, faceOf, pictureOf, somebody } from '../demo/pictures.ts';

// Whatever else is in a run, in whatever order and however far it is filled up: an item's result is its own.

const anna = somebody({ id: 'anna', x: 380, age: 24 });
const ben = somebody({ id: 'ben', x: 700, age: 71, gender: 'male', action: 'grabbing', orientation: 90 });
const cleo = somebody({ id: 'cleo', x: 1000, age: 45, action: 'walking', orientation: 270 });
const crowd = pictureOf(anna, ben, cleo);
const frames: readonly Picture[] = [
  crowd,
  blank(40, 90, 10),
  pictureOf(ben),
  resizeBilinear(pictureOf(cleo), 640, 360),
  pictureOf(),
];
const target = { device: 'cpu', threads: 1 } as const;
let demo: Pack;
let detr: DetrPack;

beforeAll(async () => {
  demo = await loadPack('models/demo');
  detr = await writeDetrPack({ activation: 'sigmoid', letterboxFill: null });
});

afterAll(() => rm(detr.dir, { recursive: true, force: true }));

/** All numbers of a result, however deep, to compare with a tolerance: other batch sizes may add up in another order. */
function numbers(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbers) : [];
}

const withoutNumbers = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'number' ? 0 : part));

function expectSame(found: unknown, expected: unknown): void {
  expect(withoutNumbers(found)).toBe(withoutNumbers(expected));
  const [a, b] = [numbers(found), numbers(expected)];
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 4));
}

type Run<Item, Result> = (items: readonly Item[]) => Promise<readonly Result[]>;

/** Runs the items together, alone, turned round, twice and mixed with copies of one of them. */
async function expectIndependent<Item, Result>(
  plain: Run<Item, Result>,
  padded: Run<Item, Result>,
  items: readonly Item[],
): Promise<readonly Result[]> {
  const together = await plain(items);
  expect(together).toHaveLength(items.length);
  for (const [i, item] of items.entries()) expectSame(await plain([item]), [together[i]]);
  for (const run of [plain, padded]) {
    expectSame((await run(items.toReversed())).toReversed(), together);
    const last = items.at(-1)!;
    expectSame((await run([last, last, ...items])).slice(2), together);
  }
  expectSame(await padded(items.slice(0, 3)), together.slice(0, 3));
  return together;
}

async function checkStage<Item, Result>(
  pack: Pack,
  open: (pack: Pack, options: StageOptions) => Promise<Stage<Item, Result>>,
  items: readonly Item[],
): Promise<readonly Result[]> {
  const plain = await open(pack, stageOptions({ target }));
  const padded = await open(pack, stageOptions({ target, padTo: batchSizes(16) }));
  try {
    return await expectIndependent(plain.run, padded.run, items);
  } finally {
    await plain.release();
    await padded.release();
  }
}

describe('a result is independent of its batch', () => {
  test('detection, adapter yolov8', async () => {
    const found = await checkStage(demo, openDetection, frames);
    expect(found.map((detections) => detections.filter((d) => d.class === 'person').length)).toEqual([3, 0, 1, 1, 0]);
  });

  test('detection, adapter detr', async () => {
    const walls = [pictureBeforeWall([anna, cleo]), blank(40, 90, 10), pictureBeforeWall([ben]), pictureBeforeWall([])];
    const found = await checkStage(await loadPack(detr.dir), openDetection, walls);
    expect(found[3]).toEqual([]);
    expect(found[0]!.length).toBeGreaterThan(1);
  });

  test('age and gender, adapter mivolo: with a face, without one, and with nothing usable', async () => {
    const detections: Detection[] = [anna, ben, cleo].map((who) => ({ class: 'person', box: boxOf(who), score: 1 }));
    const face = faceOf(anna);
    if (face !== null) detections.push({ class: 'face', box: face, score: 1 });
    detections.push({ class: 'person', box: { x1: 5000, y1: 0, x2: 5100, y2: 100 }, score: 1 });
    const pairs = [
      { person: 0, face: 3 },
      { person: 4, face: null },
      { person: 1, face: null },
      { person: 2, face: null },
    ];
    const items = pairs.map((pair) => ({ frame: crowd, detections, pair }));
    const found = await checkStage(demo, openAgeGender, items);
    expect(found.map((reading) => reading?.gender ?? null)).toEqual(['female', null, 'male', 'female']);
  });

  test('orientation, adapter mebow', async () => {
    const items = [anna, ben, cleo].map((who) => ({ frame: crowd, box: boxOf(who) }));
    items.push({ frame: blank(40, 90), box: { x1: 0, y1: 0, x2: 40, y2: 90 } });
    const found = await checkStage(demo, openOrientation, items);
    expect(found.slice(0, 3).map(({ degrees }) => Math.round(degrees / 10) * 10)).toEqual([180, 90, 270]);
  });

  test('actions and sentences, adapter fastvlm', async () => {
    const meters = { action: stageMeter(), scene: stageMeter() };
    const plain = await openFastVlm(demo, { target, padTo: [], ...meters });
    const padded = await openFastVlm(demo, { target, padTo: batchSizes(16), ...meters });
    try {
      const crops = [anna, ben, cleo].map((who) => pictureArea(crowd, boxOf(who)));
      const actions = await expectIndependent(plain.readActions, padded.readActions, [
        ...crops,
        wholeArea(blank(30, 200)),
      ]);
      expect(actions.slice(0, 3).map(({ label }) => label)).toEqual(['standing', 'grabbing', 'walking']);
      // One sentence ends long before the other.
      const texts = await expectIndependent(plain.describe, padded.describe, [crowd, pictureOf()].map(wholeArea));
      expect(texts[1]).toBe('An empty store.');
      expect(texts[0]).toMatch(/people/);
    } finally {
      await plain.release();
      await padded.release();
    }
  });
});
