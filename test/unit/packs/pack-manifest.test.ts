import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { packManifestSchema } from '../../../src/packs/pack-manifest.ts';
import { manifestProblems } from '../../../src/packs/manifest-rules.ts';
import { specOf } from '../../../src/packs/spec-of.ts';

const demo = JSON.parse(readFileSync('models/demo/manifest.json', 'utf8')) as { detection: { model: object } };
const tensor = (name: string, ...shape: readonly (number | string)[]): object => ({ name, dtype: 'float32', shape });
const person = { name: 'person', columns: [0], as: 'person' };
const logits = tensor('logits', 'batch', 300, 80);
const boxes = tensor('pred_boxes', 'batch', 300, 4);

function problems(changes: object, outputs: readonly object[] = [logits, boxes]): readonly string[] {
  const detection = {
    adapter: 'detr',
    origin: 'test',
    licence: 'none',
    model: { ...demo.detection.model, inputs: [tensor('pixel_values', 'batch', 3, 640, 640)], outputs },
    mean: [0, 0, 0],
    std: [1, 1, 1],
    letterboxFill: null,
    activation: 'sigmoid',
    classes: [person],
    confidence: 0.5,
    maxDetections: 300,
    ...changes,
  };
  const parsed = packManifestSchema.safeParse({ ...demo, detection });
  return (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

test('a detector of the DETR kind is taken, with faces and without', () => {
  expect(problems({})).toEqual([]);
  expect(problems({ classes: [person, { name: 'head', columns: [4], as: 'face' }] })).toEqual([]);
});

test.each([
  [{ classes: [{ name: 'face', columns: [1], as: 'face' }] }, 'detection.classes: one class must be taken for person'],
  [{ classes: [person, { ...person, name: 'people' }] }, 'detection.classes: a column may be named once'],
  [{ classes: [{ ...person, columns: [80] }] }, 'detection.classes.0.columns: expected columns from 0 to 79, found 80'],
  [
    { classes: [{ ...person, columns: [79] }], activation: 'softmax' },
    'detection.classes.0.columns: expected columns from 0 to 78, found 79',
  ],
])('%j is refused with its field', (changes, problem) => {
  expect(problems(changes)).toEqual([problem]);
});

test.each([
  [[tensor('labels', 'batch', 300), boxes]],
  [[tensor('logits', 'batch', 300, 'classes'), boxes]],
  [[logits, tensor('pred_boxes', 'batch', 300, 6)]],
  [[logits]],
])('outputs %j are refused', (outputs) => {
  expect(problems({}, outputs)).toEqual([
    expect.stringMatching(/^detection\.model\.outputs: expected logits \[batch, queries, columns\]/),
  ]);
});

test('an adapter that nobody knows is refused with those that are', () => {
  expect(problems({ adapter: 'yolo99' })[0]).toMatch(/^detection\.adapter: /);
});

test('asking for the fields of another adapter is refused', () => {
  const manifest = packManifestSchema.parse(demo);
  expect(specOf(manifest, 'detection', 'yolov8').iou).toBe(0.7);
  expect(() => specOf(manifest, 'detection', 'detr')).toThrow(
    'manifest.json: detection.adapter: expected detr, found yolov8',
  );
});

test.each([
  [{}, []],
  [{ notComposed: { action: 'two opsets' } }, []],
  [{ notComposed: { action: '' } }, ['prepared.notComposed.action']],
  [{ notComposed: { scene: 'two opsets' } }, ['prepared.notComposed']],
  [{ scene: {} }, ['prepared']],
])('of a prepared pack %j: fields that are refused: %j', (prepared, fields) => {
  const { error } = packManifestSchema.safeParse({ ...demo, prepared });
  expect((error?.issues ?? []).map(({ path }) => path.join('.'))).toEqual(fields);
});

test('a decoder of more layers than any has is refused before they are named one by one', () => {
  const layers = (count: number): unknown => {
    const whole = structuredClone(demo) as typeof demo & { language: { kv: { layers: number } } };
    whole.language.kv.layers = count;
    return whole;
  };
  expect(packManifestSchema.safeParse(layers(100_000_000)).error?.issues.map(({ path }) => path.join('.'))).toEqual([
    'language.kv.layers',
  ]);
  const { data } = packManifestSchema.safeParse(layers(1_000));
  expect(data === undefined ? [] : manifestProblems(data).map(({ expected }) => expected)).toEqual([
    'past_key_values.2.key and past_key_values.2.value for kv.layers 1000',
    'present.2.key and present.2.value for kv.layers 1000',
  ]);
});
