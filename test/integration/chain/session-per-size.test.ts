import { rm } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { pictureArea, wholeArea } from '../../../src/vision/picture-area.ts';
import { openFastVlm } from '../../harness/fast-vlm.ts';
import { openAgeGender } from '../../../src/chain/age-gender/open-age-gender.ts';
import { openDetection } from '../../../src/chain/detection/open-detection.ts';
import { openOrientation } from '../../../src/chain/orientation/open-orientation.ts';
import type { Stage } from '../../../src/chain/stage.ts';
import { batchSizes } from '../../../src/inference/batch.ts';
import { loadPack, type Pack } from '../../../src/packs/load-pack.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { resizeBilinear } from '../../oracle/resize-bilinear.ts';
import { writeDetrPack } from '../../harness/detr-pack.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { blank, boxOf, pictureOf, somebody } from '../demo/pictures.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

// On CUDA a session that meets two batch sizes plans its convolutions at every change, for seconds. The sessions run on the CPU here,
// but the stages believe in a GPU.

const SIZES = batchSizes(4);
const COUNTS = [1, 2, 3, 4, 2, 4, 3, 1];
const ben = somebody({ id: 'ben', x: 700, action: 'grabbing', orientation: 90 });
const cleo = somebody({ id: 'cleo', x: 1000, action: 'walking', orientation: 270 });
const frame = pictureOf(ben, cleo);
const small = resizeBilinear(pictureOf(cleo), 640, 360);
/** Frames of two sizes, which a prepared detector runs apart. */
const frames = [frame, small, blank(40, 90), small];
const create = InferenceSession.create.bind(InferenceSession);

/** Batch sizes of each session, by the graph's file. */
let seen: { readonly graph: string; readonly rows: Set<number> }[];
let preparedDir: string;

/** Where a graph with convolutions carries its batch size; undefined in the language model's other graphs, which have none. */
function rowsOf(feeds: Readonly<Record<string, Tensor>>): number | undefined {
  if ('inputs_embeds' in feeds || 'input_ids' in feeds) return undefined;
  if ('lines' in feeds) return feeds['lines']?.dims[1];
  return (feeds['frames'] ?? feeds['places'] ?? Object.values(feeds)[0])?.dims[0];
}

beforeAll(async () => {
  preparedDir = await preparedPack('models/demo');
});

beforeEach(() => {
  seen = [];
  const spy = jest.spyOn(InferenceSession, 'create') as unknown as jest.Mock<
    (path: string) => Promise<InferenceSession>
  >;
  spy.mockImplementation(async (path) => {
    const session = await create(path, { intraOpNumThreads: 1 });
    const run = session.run.bind(session);
    const rows = new Set<number>();
    seen.push({ graph: path, rows });
    session.run = (feeds: Record<string, Tensor>) => {
      const count = rowsOf(feeds);
      if (count !== undefined) rows.add(count);
      return run(feeds);
    };
    return session;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

async function expectFixedSizes<Item>(
  run: (items: readonly Item[]) => Promise<readonly unknown[]>,
  warm: Item,
  items: readonly Item[],
  sizes: readonly number[] = SIZES,
): Promise<void> {
  for (const size of sizes) await run(Array.from({ length: size }, () => warm));
  const warmed = seen.length;
  for (const count of COUNTS) expect(await run(items.slice(0, count))).toHaveLength(count);
  expect(seen).toHaveLength(warmed);
  const planned = seen.filter(({ rows }) => rows.size > 0);
  expect(planned.length).toBeGreaterThanOrEqual(sizes.length);
  for (const { rows } of planned) expect([...rows]).toHaveLength(1);
}

async function closing<Item>(
  stage: Stage<Item, unknown>,
  check: (run: Stage<Item, unknown>['run']) => Promise<void>,
): Promise<void> {
  try {
    await check(stage.run);
  } finally {
    await stage.release();
  }
}

describe.each([
  ['the plain pack', () => 'models/demo'],
  ['the prepared pack', () => preparedDir],
])('%s keeps every session to one batch size', (_, dir) => {
  const options = stageOptions({ target: { device: 'cuda' }, padTo: SIZES, limit: Math.max(...SIZES) });
  let pack: Pack;

  beforeEach(async () => {
    pack = await loadPack(dir());
  });

  test('detection, also of frames of several sizes', async () => {
    await closing(await openDetection(pack, options), (run) => expectFixedSizes(run, blank(128, 128), frames));
  });

  test('age and gender, also where nobody is usable', async () => {
    const detections = [ben, cleo].map((who) => ({ class: 'person', box: boxOf(who), score: 1 }) as const);
    const outside = { class: 'person', box: { x1: 5000, y1: 0, x2: 5100, y2: 100 }, score: 1 } as const;
    const item = (person: number) => ({ frame, detections: [...detections, outside], pair: { person, face: null } });
    await closing(await openAgeGender(pack, options), (run) =>
      expectFixedSizes(run, item(0), [item(1), item(2), item(0), item(1)]),
    );
  });

  test('orientation, of crops of any size', async () => {
    const items = [ben, cleo].map((who) => ({ frame, box: boxOf(who) }));
    await closing(await openOrientation(pack, options), (run) =>
      expectFixedSizes(run, items[0]!, [...items, { frame: small, box: { x1: 0, y1: 0, x2: 31, y2: 77 } }, items[0]!]),
    );
  });

  test('action and scene, whose decoder sees as many rows as there are', async () => {
    const meters = { action: stageMeter(), scene: stageMeter() };
    const sizes = [1, 4];
    const model = await openFastVlm(pack, { target: { device: 'cuda' }, padTo: sizes, ...meters });
    try {
      const crops = [ben, cleo].map((who) => pictureArea(frame, boxOf(who)));
      await expectFixedSizes(model.readActions, crops[0]!, [...crops, wholeArea(small), crops[0]!], sizes);
      // Whatever is described together, the encoder sees one picture at a time.
      const opened = seen.length;
      await expectFixedSizes(model.describe, wholeArea(small), [frame, small, frame, small].map(wholeArea), [1]);
      expect(seen).toHaveLength(opened);
    } finally {
      await model.release();
    }
  });
});

test('a detector of adapter detr keeps every session to one batch size', async () => {
  const { dir } = await writeDetrPack({ activation: 'sigmoid', letterboxFill: null });
  const options = stageOptions({ target: { device: 'cuda' }, padTo: SIZES, limit: Math.max(...SIZES) });
  try {
    await closing(await openDetection(await loadPack(dir), options), (run) => expectFixedSizes(run, small, frames));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
