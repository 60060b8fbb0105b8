import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { drawScene } from '../../../models/demo-pack/scene/draw.ts';
import { figureOf } from '../../../models/demo-pack/scene/figure.ts';
import { Canvas } from '../../../models/demo-pack/scene/raster.ts';
import { HEIGHT, sceneAt, WIDTH } from '../../../models/demo-pack/scene/scene.ts';
import type { Person } from '../../../models/demo-pack/scene/scene.ts';
import { drawBackground } from '../../../models/demo-pack/scene/store.ts';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import type { Detection, FrameHandle, ModelChain } from '../../../src/chain/model-chain.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

const signal = new AbortController().signal;
const background = drawBackground();
const person: Person = {
  id: 'one',
  age: 30,
  gender: 'female',
  x: 420,
  footY: 620,
  height: 300,
  orientation: 180,
  action: 'standing',
  stride: 0,
  lean: 0,
  pose: 0,
};

let chain: ModelChain;

beforeAll(async () => {
  chain = await createModelChain({
    pack: await loadPack('models/demo'),
    device: 'cpu',
    threads: { vision: 1, language: 1 },
    batch: { detection: 2, people: 4, language: 2 },
    localScenes: true,
  });
});

afterAll(() => chain.close());

function draw(people: readonly Person[]): FrameHandle {
  const canvas = new Canvas(WIDTH, HEIGHT);
  drawScene(
    canvas,
    background,
    people.map((p) => ({ person: p, figure: figureOf(p) })),
  );
  return chain.addFrame(sharedFrame(canvas));
}

interface Seen {
  readonly detection: Detection;
  readonly age: number;
  readonly gender: string;
  readonly degrees: number;
  readonly action: string;
}

async function see(people: readonly Person[]): Promise<readonly Seen[]> {
  const handle = draw(people);
  const detections = await chain.detection(handle, signal);
  const bodies = detections.flatMap((detection, person) =>
    detection.class === 'person' ? [{ detection, person }] : [],
  );
  const boxes = bodies.map(({ detection }) => detection.box);
  const pairs = bodies.map(({ detection: { box }, person }) => {
    const face = detections.findIndex((d) => d.class === 'face' && d.box.x1 >= box.x1 && d.box.x2 <= box.x2);
    return { person, face: face < 0 ? null : face };
  });
  const ages = await chain.ageGender(handle, detections, pairs, signal);
  const angles = await chain.orientation(handle, boxes, signal);
  const actions = await chain.action(handle, boxes, signal);
  chain.releaseFrame(handle);
  return bodies.map(({ detection }, i) => ({
    detection,
    age: ages[i]!.age,
    gender: ages[i]!.gender,
    degrees: angles[i]!.degrees,
    action: actions[i]!.label,
  }));
}

test('an empty store has nobody in it', async () => {
  expect(await see([])).toEqual([]);
});

test('a person is found where it stands, and elsewhere after it moved', async () => {
  const [before] = await see([person]);
  const [after] = await see([{ ...person, x: 800 }]);
  expect(before!.detection.box.x1).toBeLessThan(420);
  expect(before!.detection.box.x2).toBeGreaterThan(420);
  expect(after!.detection.box.x1 - before!.detection.box.x1).toBeGreaterThan(370);
  expect(after!.detection.box.x1 - before!.detection.box.x1).toBeLessThan(390);
});

test.each([
  [12, 'male'],
  [45, 'female'],
  [78, 'male'],
] as const)('age %i and %s are read from the picture', async (age, gender) => {
  const [seen, ...others] = await see([{ ...person, age, gender }]);
  expect(others).toEqual([]);
  expect(Math.abs(seen!.age - age)).toBeLessThan(2);
  expect(seen!.gender).toBe(gender);
});

test.each([0, 90, 180, 270])('a person who is turned by %i degrees', async (orientation) => {
  const [seen] = await see([{ ...person, orientation }]);
  const turn = Math.abs(seen!.degrees - orientation);
  expect(Math.min(turn, 360 - turn)).toBeLessThanOrEqual(10);
});

test('actions of several people are told apart', async () => {
  const people = (['standing', 'walking'] as const).map((action, i) => ({
    ...person,
    id: action,
    x: 350 + 450 * i,
    action,
    pose: 1,
  }));
  const seen = (await see(people)).toSorted((a, b) => a.detection.box.x1 - b.detection.box.x1);
  expect(seen.map(({ action }) => action)).toEqual(['standing', 'walking']);
});

test('what age and gender can be read of is known before they are', async () => {
  const lit = draw([person]);
  const black = chain.addFrame(sharedFrame({ width: 300, height: 300, pixels: new Uint8Array(300 * 300 * 3) }));
  const of = (kind: 'person' | 'face', x1: number, x2: number): Detection => ({
    class: kind,
    box: { x1, y1: 100, x2, y2: 200 },
    score: 0.9,
  });
  const detections = [of('person', 100, 200), of('person', 20, 69), of('person', 120, 280), of('face', 30, 40)];
  const pairs = [0, 1, 2].flatMap((person) => [null, 3].map((face) => ({ person, face })));
  const known = async (handle: FrameHandle): Promise<boolean[]> => {
    const readable = pairs.map((pair) => chain.isReadable(handle, detections, pair));
    const readings = await chain.ageGender(handle, detections, pairs, signal);
    expect(readings.map((reading) => reading !== null)).toEqual(readable);
    return readable;
  };
  // Covered, small, large enough: each without a face, and with one.
  expect(await known(lit)).toEqual([false, true, false, true, true, true]);
  expect(await known(black)).toEqual([false, true, false, true, false, true]);
  for (const handle of [lit, black]) chain.releaseFrame(handle);
  expect(() => chain.isReadable(lit, detections, pairs[0]!)).toThrow('no frame has the handle');
});

test('a scene text tells a busy store from an empty one', async () => {
  const [busy, empty] = [draw(sceneAt(9)), draw([])];
  const texts = await Promise.all([busy, empty].map((handle) => chain.scene(handle, signal)));
  expect(texts[0]).toMatch(/people in the store/);
  expect(texts[1]).toBe('An empty store.');
  for (const handle of [busy, empty]) chain.releaseFrame(handle);
});

test('two frames are compared where they are: the same scene is still, somebody who appears is not', async () => {
  const [empty, again, visited] = [draw([]), draw([]), draw([person])];
  expect(await chain.difference(again, empty, signal)).toBe(0);
  expect(await chain.difference(visited, empty, signal)).toBeGreaterThan(50);
  chain.releaseFrame(empty);
  await expect(chain.difference(visited, empty, signal)).rejects.toThrow('no frame has the handle');
  for (const handle of [again, visited]) chain.releaseFrame(handle);
});
