import { afterEach, expect, jest, test } from '@jest/globals';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { Detection } from '../../../src/chain/model-chain.ts';
import { VISION_STAGES } from '../../../src/chain/vision-stages.ts';
import type { VisionStage } from '../../../src/chain/vision-stage.ts';
import { batchSizes } from '../../../src/inference/batch.ts';
import { BatchQueue } from '../../../src/inference/thread/batch-queue.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { boxOf, pictureOf, somebody } from '../demo/pictures.ts';

const LIMIT = 8;
const { signal } = new AbortController();
const anna = somebody({ id: 'anna', x: 380, age: 24 });
const frame = pictureOf(anna);
const boxes = Array.from({ length: 5 }, () => boxOf(anna));
const create = InferenceSession.create.bind(InferenceSession);

afterEach(() => {
  jest.restoreAllMocks();
});

/** Rows of the runs in which a stage answers questions that come at once. */
async function runsOf<Ask>(stage: VisionStage<Ask, unknown>, asks: readonly Ask[]): Promise<readonly number[]> {
  const rows: number[] = [];
  const spy = jest.spyOn(InferenceSession, 'create') as unknown as jest.Mock<
    (path: string) => Promise<InferenceSession>
  >;
  spy.mockImplementation(async (path) => {
    const session = await create(path, { intraOpNumThreads: 1 });
    const run = session.run.bind(session);
    session.run = (feeds: Record<string, Tensor>) => {
      rows.push(Object.values(feeds)[0]!.dims[0]!);
      return run(feeds);
    };
    return session;
  });
  const pack = await loadPack('models/demo');
  const open = await stage.open(pack, stageOptions({ padTo: batchSizes(LIMIT), limit: LIMIT }));
  try {
    const answer = open.join(new BatchQueue(), LIMIT);
    await Promise.all(asks.map((ask) => answer(frame, ask, signal)));
  } finally {
    await open.release();
  }
  return rows;
}

test('five frames are detected as four and one: three of eight rows would be for nothing', async () => {
  expect(batchSizes(LIMIT)).toEqual([1, 2, 4, 8]);
  const frames = Array.from({ length: 5 }, (): [] => []);
  expect(await runsOf(VISION_STAGES.detection, frames)).toEqual([4, 1]);
});

test('seven frames fill eight rows up', async () => {
  const frames = Array.from({ length: 7 }, (): [] => []);
  expect(await runsOf(VISION_STAGES.detection, frames)).toEqual([8]);
});

test('five persons run at once in eight rows, of which a further one costs hardly anything', async () => {
  expect(await runsOf(VISION_STAGES.orientation, [[boxes]])).toEqual([8]);
  const person: Detection = { class: 'person', box: boxOf(anna), score: 1 };
  const pairs = boxes.map(() => ({ person: 0, face: null }));
  expect(await runsOf(VISION_STAGES.ageGender, [[[person], pairs]])).toEqual([8]);
});
