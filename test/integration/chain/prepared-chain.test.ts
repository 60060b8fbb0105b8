import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import { pairFaces } from '../../../src/analysis/face-pairs.ts';
import type { Detection, ModelChain } from '../../../src/chain/model-chain.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { pictureOf, somebody } from '../demo/pictures.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

const signal = new AbortController().signal;
let plain: ModelChain;
let prepared: ModelChain;

beforeAll(async () => {
  plain = await openChain('models/demo', false);
  prepared = await openChain(await preparedPack('models/demo'), true);
});

afterAll(async () => {
  await plain?.close();
  await prepared?.close();
});

async function openChain(dir: string, padBatches: boolean): Promise<ModelChain> {
  return createModelChain({
    pack: await loadPack(dir),
    device: 'cpu',
    threads: { vision: 1, language: 1 },
    batch: { detection: 2, people: 4, language: 2 },
    localScenes: false,
    padBatches,
    peopleApart: padBatches,
  });
}

const reversed = (picture: Picture): Picture => ({ ...picture, pixels: picture.pixels.toReversed() });

/** What a chain says of frames that are asked about at once, in batches of its own making. */
async function readAll(chain: ModelChain, frames: readonly Picture[]) {
  return Promise.all(
    frames.map(async (picture, index) => {
      const handle = chain.addFrame(sharedFrame({ ...picture, sample: index, index, t: index }));
      const detections: readonly Detection[] = await chain.detection(handle, signal);
      const persons = detections.filter((detection) => detection.class === 'person').map(({ box }) => box);
      const [orientations, ages] = await Promise.all([
        chain.orientation(handle, persons, signal),
        chain.ageGender(handle, detections, pairFaces(detections), signal),
      ]);
      chain.releaseFrame(handle);
      return { detections, orientations, ages };
    }),
  );
}

test('a prepared pack sees what the pack sees that it was made from, with full batches of two frame sizes', async () => {
  const people = [somebody(), somebody({ id: 'child', x: 700, height: 260, age: 9, orientation: 90 })];
  const small = { width: 200, height: 120, pixels: new Uint8Array(200 * 120 * 3).fill(90) };
  const frames = [pictureOf(...people), small, pictureOf(somebody({ x: 300, age: 60 })), reversed(small)];
  const expected = await readAll(plain, frames);
  expect(expected[0]!.orientations).toHaveLength(2);
  expect(expected.flatMap(({ ages }) => ages)).toHaveLength(3);
  expect(await readAll(prepared, frames)).toEqual(expected);
  const { ageGender, orientation } = await prepared.timings();
  expect([ageGender.items, orientation.items]).toEqual([3, 3]);
});

test('a chain that was opened without local scene texts writes none, and says why', async () => {
  const handle = plain.addFrame(sharedFrame({ ...pictureOf(somebody()), sample: 0, index: 0, t: 0 }));
  await expect(plain.scene(handle, signal)).rejects.toMatchObject({
    code: 'SCENE_FAILED',
    message: expect.stringMatching(/opened without local scene texts/),
  });
  plain.releaseFrame(handle);
});
