import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Tensor } from 'onnxruntime-node';
import { buildDemoPack } from '../../../models/demo-pack/build.ts';
import { clip, DemoModels, iou, tensor } from '../../../models/demo-pack/demo-models.ts';
import { cut, cutBody, letterbox, normalise, orientationCrop } from '../../../models/demo-pack/inputs.ts';
import { sceneAt } from '../../../models/demo-pack/scene/scene.ts';
import { blank, boxOf, faceOf, pictureOf, somebody } from './pictures.ts';

let models: DemoModels;
beforeAll(async () => {
  models = await DemoModels.open(buildDemoPack());
});
afterAll(() => models.close());

describe('detection', () => {
  test.each([
    ['the empty store', pictureOf()],
    ['a grey picture', blank()],
    ['a black picture', blank(640, 480, 0)],
    ['a white picture', blank(300, 900, 255)],
  ])('finds nobody in %s', async (_, picture) => {
    expect(await models.detect(picture)).toEqual({ persons: [], faces: [] });
  });

  test.each([
    ['to the right', { x: 130, footY: 0 }],
    ['to the left and up', { x: -210, footY: -35 }],
    ['by a few pixels', { x: 3, footY: 5 }],
  ])('the boxes move with a person who is moved %s', async (_, by) => {
    const person = somebody();
    const before = await models.detect(pictureOf(person));
    const moved = await models.detect(pictureOf(somebody({ x: person.x + by.x, footY: person.footY + by.footY })));
    for (const kind of ['persons', 'faces'] as const) {
      expect(before[kind]).toHaveLength(1);
      expect(moved[kind]).toHaveLength(1);
      const [from, to] = [before[kind][0]!.box, moved[kind][0]!.box];
      for (const [side, distance] of Object.entries({ x1: by.x, x2: by.x, y1: by.footY, y2: by.footY })) {
        const key = side as keyof typeof from;
        expect(Math.abs(to[key] - from[key] - distance)).toBeLessThan(3);
      }
    }
  });

  test.each([
    ['standing', somebody()],
    ['sitting', somebody({ action: 'sitting' })],
    ['reaching', somebody({ action: 'grabbing', orientation: 300 })],
    ['half fallen', somebody({ action: 'falling', lean: 0.8 })],
    ['lying', somebody({ action: 'falling', lean: 1.42 })],
    ['at the edge of the picture', somebody({ x: 20 })],
    ['behind the counter', somebody({ x: 1050, footY: 540, height: 320 })],
  ])('the box fits a person who is %s', async (_, person) => {
    const { persons } = await models.detect(pictureOf(person));
    expect(persons).toHaveLength(1);
    expect(iou(persons[0]!.box, clip(boxOf(person), 1280, 720))).toBeGreaterThan(0.85);
  });

  test('the face is found where it is and only while it is not turned away', async () => {
    const towards = somebody({ orientation: 200 });
    const found = await models.detect(pictureOf(towards));
    expect(iou(found.faces[0]!.box, faceOf(towards)!)).toBeGreaterThan(0.8);
    const away = await models.detect(pictureOf(somebody({ orientation: 20 })));
    expect([away.persons.length, away.faces.length]).toEqual([1, 0]);
  });

  test('two people side by side are two boxes', async () => {
    const people = [somebody({ x: 400 }), somebody({ id: 'other', x: 505, height: 345, footY: 625 })];
    const { persons, faces } = await models.detect(pictureOf(...people));
    expect([persons.length, faces.length]).toEqual([2, 2]);
    for (const person of people) {
      expect(Math.max(...persons.map((found) => iou(found.box, boxOf(person))))).toBeGreaterThan(0.85);
    }
  });

  test('a picture gives the same in a batch as alone', async () => {
    const inputs = [0, 7, 16].map((seconds) => letterbox(pictureOf(...sceneAt(seconds)), 640, 114));
    await expectBatchEqualsSingle('detector.onnx', 'images', tensor(inputs), 'output0');
  });
});

describe('age and gender', () => {
  test.each([5, 20, 40, 65, 90])(
    'a person recoloured to %i years is read as that old, from body and face',
    async (age) => {
      const person = somebody({ age });
      const picture = pictureOf(person);
      const face = cut(picture, faceOf(person)!);
      const body = cutBody(picture, boxOf(person), [faceOf(person)!]);
      expect(Math.abs((await models.ageGender(face, null)).age - age)).toBeLessThan(2);
      expect(Math.abs((await models.ageGender(null, body)).age - age)).toBeLessThan(2);
      expect(Math.abs((await models.ageGender(face, body)).age - age)).toBeLessThan(2);
    },
  );

  test.each(['male', 'female'] as const)('the skin of a %s is read as that', async (gender) => {
    const person = somebody({ gender, orientation: 30 });
    const body = cutBody(pictureOf(person), boxOf(person), []);
    expect((await models.ageGender(null, body)).gender).toBe(gender);
  });

  test('a neighbour who is painted out does not count', async () => {
    const person = somebody({ age: 20 });
    const neighbour = somebody({ id: 'other', age: 80, x: 520, footY: 645 });
    const picture = pictureOf(person, neighbour);
    const body = cutBody(picture, boxOf(person), [boxOf(neighbour)]);
    expect(Math.abs((await models.ageGender(null, body)).age - 20)).toBeLessThan(2);
  });

  test('without any skin the answer is the average age', async () => {
    expect((await models.ageGender(null, null)).age).toBe(48);
  });

  test('a row gives the same in a batch as alone', async () => {
    const data = [10, 50].flatMap((age) => {
      const person = somebody({ age });
      const picture = pictureOf(person);
      return [cut(picture, faceOf(person)!), cut(picture, boxOf(person))].map((part) =>
        normalise(letterbox(part, 224, 0)),
      );
    });
    const parts = tensor(data);
    const rows = new Tensor('float32', parts.data as Float32Array, [2, 6, 224, 224]);
    await expectBatchEqualsSingle('age_gender.onnx', 'input', rows, 'output');
  });
});

describe('orientation', () => {
  test.each([0, 45, 90, 135, 180, 225, 270, 315])('a person at %i degrees is read as that', async (orientation) => {
    const person = somebody({ orientation });
    expect(await models.orientation(pictureOf(person), boxOf(person))).toBe(orientation);
  });

  test('a neighbour does not turn the answer', async () => {
    const person = somebody({ orientation: 90 });
    const picture = pictureOf(person, somebody({ id: 'other', x: 530, footY: 600, height: 350, orientation: 270 }));
    expect(await models.orientation(picture, boxOf(person))).toBe(90);
  });

  test('without hair every direction is as likely', async () => {
    const input = tensor([normalise(orientationCrop(blank(), { x1: 0, y1: 0, x2: 200, y2: 400 }))]);
    const { output } = await models.run('orientation.onnx', { input });
    const values = output!.data as Float32Array;
    expect(Math.max(...values) - Math.min(...values)).toBeLessThan(1e-6);
  });

  test('a crop gives the same in a batch as alone, and the bins add up to 1', async () => {
    const people = [somebody(), somebody({ orientation: 35, action: 'grabbing' })];
    const crops = people.map((person) => normalise(orientationCrop(pictureOf(person), boxOf(person))));
    const output = await expectBatchEqualsSingle('orientation.onnx', 'input', tensor(crops), 'output');
    expect(output.subarray(0, 72).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });
});

/** Runs the batch at once and row by row; returns the batch's output. */
async function expectBatchEqualsSingle(
  file: string,
  input: string,
  batch: Tensor,
  name: string,
): Promise<Float32Array> {
  const together = (await models.run(file, { [input]: batch }))[name]!.data as Float32Array;
  const [rows = 1, ...rest] = batch.dims;
  const length = batch.data.length / rows;
  for (let row = 0; row < rows; row++) {
    const data = (batch.data as Float32Array).slice(row * length, (row + 1) * length);
    const alone = (await models.run(file, { [input]: new Tensor('float32', data, [1, ...rest]) }))[name]!;
    const own = together.subarray(row * alone.data.length, (row + 1) * alone.data.length);
    const difference = (alone.data as Float32Array).reduce(
      (most, value, at) => Math.max(most, Math.abs(value - own[at]!)),
      0,
    );
    expect(difference).toBeLessThan(1e-3);
  }
  return together;
}
