import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { figureOf } from '../../../models/demo-pack/scene/figure.ts';
import type { Person } from '../../../models/demo-pack/scene/scene.ts';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import { openDetection } from '../../../src/chain/detection/open-detection.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import type { Detection } from '../../../src/chain/model-chain.ts';
import { batchSizes } from '../../../src/inference/batch.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import type { Frame } from '../../../src/video/frame.ts';
import type { Box } from '../../../src/vision/box.ts';
import { boxIou } from '../../../src/vision/iou.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { type DetrPack, pictureBeforeWall, writeDetrPack } from '../../harness/detr-pack.ts';
import { somebody } from '../demo/pictures.ts';
import { wholeFootage } from '../../harness/footage.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

const anna = somebody({ id: 'anna', x: 480, age: 34, gender: 'female' });
const ben = somebody({ id: 'ben', x: 1120, age: 61, gender: 'male', action: 'grabbing' });
const packs: DetrPack[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'detr-chain-'));
  packs.push(await writeDetrPack({ activation: 'sigmoid', letterboxFill: null }));
  packs.push(await writeDetrPack({ activation: 'softmax', letterboxFill: 128 }));
});

afterAll(async () => {
  for (const dir of [folder, ...packs.map((pack) => pack.dir)]) await rm(dir, { recursive: true, force: true });
});

async function detect(
  pack: DetrPack,
  frames: readonly Picture[],
  padTo: readonly number[] = [],
): Promise<readonly (readonly Detection[])[]> {
  const options = stageOptions({ padTo });
  const stage = await openDetection(await loadPack(pack.dir), options);
  try {
    return await stage.run(frames);
  } finally {
    await stage.release();
  }
}

const byPlace = (found: readonly Detection[]): Box[] => found.map(({ box }) => box).toSorted((a, b) => a.x1 - b.x1);

describe.each([
  ['stretched, every column a claim of its own', 0],
  ['letterboxed, columns compete', 1],
] as const)('%s', (_, index) => {
  test('finds everybody where they are, and nobody before an empty wall', async () => {
    const frames = [pictureBeforeWall([anna, ben]), pictureBeforeWall([]), pictureBeforeWall([ben])];
    const [both, nobody, one] = await detect(packs[index]!, frames);
    const expected = [anna, ben].map((person) => figureOf(person).box);
    expect(both).toHaveLength(2);
    byPlace(both!).forEach((box, i) => expect(boxIou(box, expected[i]!)).toBeGreaterThan(0.85));
    expect(both!.map((found) => found.class)).toEqual(['person', 'person']);
    expect(nobody).toEqual([]);
    expect(boxIou(one![0]!.box, expected[1]!)).toBeGreaterThan(0.85);
  });

  test('a frame gives the same alone, in a batch, in another order and in a padded batch', async () => {
    const narrow: Picture = { width: 40, height: 90, pixels: new Uint8Array(40 * 90 * 3).fill(10) };
    const frames = [pictureBeforeWall([anna, ben]), narrow, pictureBeforeWall([ben])];
    const together = await detect(packs[index]!, frames);
    const turned = await detect(packs[index]!, frames.toReversed(), batchSizes(4));
    expect(turned.toReversed()).toEqual(together);
    for (const [i, frame] of frames.entries()) expect(await detect(packs[index]!, [frame])).toEqual([together[i]]);
    expect(together.map((found) => found.length)).toEqual([2, expect.any(Number), 1]);
  });
});

test('the whole analysis runs on it without faces: persons, ages from bodies, actions, tracks', async () => {
  const pack = await loadPack(packs[0]!.dir);
  const chain = await createModelChain({
    pack,
    device: 'cpu',
    threads: { vision: 1, language: 1 },
    batch: { detection: 2, people: 4, language: 2 },
    localScenes: false,
  });
  const at = (sample: number): readonly Person[] => [
    { ...anna, x: anna.x + 4 * sample },
    { ...ben, x: ben.x - 4 * sample },
  ];
  async function* frames(): AsyncGenerator<Frame> {
    for (let sample = 0; sample < 4; sample++) {
      yield sharedFrame({ ...pictureBeforeWall(at(sample)), sample, index: sample * 17, t: sample / 1.5 });
    }
  }
  const told = { container: 'mp4', codec: 'h264', rotation: 0, sizeBytes: 1 };
  const info = { ...told, width: 1280, height: 720, frameRate: 25, durationSeconds: 3 };
  try {
    const analysis = await analyzeVideo(
      {
        videoId: 'detr',
        info,
        frames: frames(),
        footage: wholeFootage(info),
        workspaceDir: folder,
      },
      { chain, describer: null },
      { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off' },
      () => undefined,
      new AbortController().signal,
    );
    expect(analysis.pack.name).toBe('detr');
    const tracks = [...analysis.tracks].toSorted((a, b) => (a.age ?? 0) - (b.age ?? 0));
    expect(tracks).toMatchObject([
      { observations: 4, gender: 'female', mainAction: 'standing' },
      { observations: 4, gender: 'male', mainAction: 'grabbing' },
    ]);
    expect(Math.abs(tracks[0]!.age! - 34)).toBeLessThan(2);
    expect(Math.abs(tracks[1]!.age! - 61)).toBeLessThan(2);
    expect(analysis.frames.flatMap((frame) => frame.detections.map((found) => found.class))).toEqual(
      Array.from({ length: 8 }, () => 'person'),
    );
  } finally {
    await chain.close();
  }
});
