import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isReadable, type AgeGenderItem } from '../../../../src/chain/age-gender/person-parts.ts';
import type { OrientationItem } from '../../../../src/chain/orientation/mebow.ts';
import { openAgeGender } from '../../../../src/chain/age-gender/open-age-gender.ts';
import { openOrientation } from '../../../../src/chain/orientation/open-orientation.ts';
import type { Stage } from '../../../../src/chain/stage.ts';
import { pairFaces } from '../../../../src/analysis/face-pairs.ts';
import type { AgeGender, Detection, Orientation } from '../../../../src/chain/model-chain.ts';
import { batchSizes } from '../../../../src/inference/batch.ts';
import { loadPack, type Pack } from '../../../../src/packs/load-pack.ts';
import { GraphBuilder } from '../../../../src/graphs/onnx/graph-builder.ts';
import { parseOnnx, readOnnx } from '../../../../src/graphs/onnx/onnx-model.ts';
import type { ComposedSpec, ModelSpec } from '../../../../src/packs/pack-manifest.ts';
import { ageGenderGraph } from '../../../../src/graphs/prepare/age-gender-graph.ts';
import { orientationGraph } from '../../../../src/graphs/prepare/orientation-graph.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { anyBox, anyDetections, noise, SCENE_SIZES } from '../../../harness/random-scenes.ts';
import { numbers } from '../../../unit/vision/pictures.ts';
import { hasStreet, loadStreet, streetDir } from '../../chain/street-pack.ts';
import { stageOptions } from '../../../harness/stage-options.ts';
import { boxOf, faceOf, pictureOf, somebody } from '../../demo/pictures.ts';
import { preparedPack } from '../../../harness/prepared-pack.ts';

interface Stages {
  readonly ageGender: Stage<AgeGenderItem, AgeGender | null>;
  readonly orientation: Stage<OrientationItem, Orientation>;
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prepared-heads-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function openStages(pack: Pack, padTo: readonly number[] = []): Promise<Stages> {
  const options = stageOptions({ padTo });
  return { ageGender: await openAgeGender(pack, options), orientation: await openOrientation(pack, options) };
}

async function release({ ageGender, orientation }: Stages): Promise<void> {
  await ageGender.release();
  await orientation.release();
}

/** Three people of the demo store, who stand in front of each other, with everything that a detector sees of them. */
function store(): { readonly frame: Picture; readonly detections: readonly Detection[] } {
  const people = [
    somebody(),
    somebody({ id: 'child', x: 520, height: 250, age: 9, gender: 'male', orientation: 150 }),
    somebody({ id: 'old', x: 900, age: 71, orientation: 300 }),
  ];
  const detections = people.flatMap((person) => {
    const face = faceOf(person);
    const body = { class: 'person', box: boxOf(person), score: 0.9 } as const;
    return face === null ? [body] : [body, { class: 'face', box: face, score: 0.8 } as const];
  });
  return { frame: pictureOf(...people), detections };
}

function everybody(frame: Picture, detections: readonly Detection[]): readonly AgeGenderItem[] {
  return pairFaces(detections).map((pair) => ({ frame, detections, pair }));
}

const CROWD = 40;

const packs = [
  ['demo', true, 'models/demo'],
  ['street', hasStreet, 'test/packs/street'],
] as const;

for (const [name, present, dir] of packs) {
  (present ? describe : describe.skip)(
    `the heads of the ${name} pack${present ? '' : ` (no files in ${streetDir}; set STREET_DIR)`}`,
    () => {
      let plain: Stages;
      let prepared: Stages;
      let padded: Stages;
      const random = numbers(77);
      const frames = SCENE_SIZES.map((size) => noise(random, size));
      const aging = [
        ...everybody(store().frame, store().detections),
        ...frames.flatMap((frame) => everybody(frame, anyDetections(random, frame, 4)).slice(0, 3)),
      ];
      const turning = [
        ...store().detections.map(({ box }) => ({ frame: store().frame, box })),
        ...frames.flatMap((frame) => [0, 1].map(() => ({ frame, box: anyBox(random, frame) }))),
      ];

      beforeAll(async () => {
        const pack = await loadPack(await preparedPack(dir));
        plain = await openStages(name === 'street' ? await loadStreet() : await loadPack(dir));
        prepared = await openStages(pack);
        padded = await openStages(pack, batchSizes(64));
      });

      afterAll(async () => {
        for (const stages of [plain, prepared, padded]) await release(stages);
      });

      test('read the ages and genders that the plain path reads', async () => {
        const expected = await plain.ageGender.run(aging);
        expect(await prepared.ageGender.run(aging)).toEqual(expected);
        const { kernel } = stageOptions();
        expect(aging.map((item) => isReadable(item, kernel))).toEqual(expected.map((reading) => reading !== null));
        expect(expected.filter((reading) => reading === null).length).toBeGreaterThan(0);
        expect(expected.filter((reading) => reading !== null).length).toBeGreaterThan(5);
      });

      test('read the orientations that the plain path reads', async () => {
        const expected = await plain.orientation.run(turning);
        expect(await prepared.orientation.run(turning)).toEqual(expected);
      });

      test('read the same alone, in a batch and in a padded batch', async () => {
        const ages = await prepared.ageGender.run(aging);
        for (const [i, item] of aging.entries()) expect(await prepared.ageGender.run([item])).toEqual([ages[i]]);
        expect(await padded.ageGender.run(aging.slice(0, 3))).toEqual(ages.slice(0, 3));
        const degrees = await prepared.orientation.run(turning);
        for (const [i, item] of turning.entries()) expect(await prepared.orientation.run([item])).toEqual([degrees[i]]);
        expect(await padded.orientation.run(turning.slice(2, 5))).toEqual(degrees.slice(2, 5));
      });

      test('read the same among forty people, in a batch of 64', async () => {
        const [ages, degrees] = [await prepared.ageGender.run(aging), await prepared.orientation.run(turning)];
        const among = <Item>(items: readonly Item[]) =>
          Array.from({ length: CROWD }, (_, i) => items[i % items.length]!);
        expect(await padded.ageGender.run(among(aging))).toEqual(among(ages));
        expect(await padded.orientation.run(among(turning))).toEqual(among(degrees));
      });
    },
  );
}

describe('a model that is not what the adapter expects', () => {
  test('is refused with the file, what was expected and what was found', async () => {
    const { manifest, filePath } = await loadPack('models/demo');
    const { ageGender, orientation } = manifest;
    const model = await readOnnx(filePath(ageGender.model.file));
    const input = ageGender.model.inputs[0]!;
    const withInput = (change: Partial<typeof input>): typeof ageGender => ({
      ...ageGender,
      model: { ...ageGender.model, inputs: [{ ...input, ...change }] },
    });
    const refused =
      (change: Partial<typeof input>): (() => unknown) =>
      () =>
        ageGenderGraph(model, withInput(change));
    expect(refused({ shape: ['batch', 3, 224, 224] })).toThrow(/age_gender\.onnx.*\[batch, 6, height.*\[batch, 3, 224/);
    expect(refused({ shape: [1, 6, 224, 224] })).toThrow(/dynamic batch axis.*\[1, 6, 224, 224\]/);
    expect(refused({ dtype: 'uint8' })).toThrow(/float32 or float16, found uint8/);
    expect(() => orientationGraph(model, { ...orientation, bins: 36 })).toThrow(/\[batch, 36\], found \[batch, 72\]/);
    const nameless = { ...orientation.model, outputs: [{ ...orientation.model.outputs[0]!, name: 'bins' }] };
    const turning = await readOnnx(filePath(orientation.model.file));
    expect(() => orientationGraph(turning, { ...orientation, model: nameless })).toThrow(
      /output bins, found only output/,
    );
  });
});

/** A prepared pack whose graphs embed models with a number added to what they give. */
async function spoiled(value: number): Promise<Pack> {
  const demo = await loadPack('models/demo');
  const dir = await mkdtemp(join(folder, 'spoiled-'));
  const compose = async (stage: 'ageGender' | 'orientation'): Promise<ComposedSpec> => {
    const { model: spec } = demo.manifest[stage];
    const broken = new GraphBuilder('spoiled');
    const input = broken.input('input', 'float32', spec.inputs[0]!.shape);
    const { output } = broken.embed(await readOnnx(demo.filePath(spec.file)), 'official', { input });
    broken.output(broken.node('Add', [output!, broken.scalar(value)]), 'output', 'float32', spec.outputs[0]!.shape);
    const model = parseOnnx(broken.toBytes(), stage);
    const graph =
      stage === 'ageGender'
        ? ageGenderGraph(model, demo.manifest.ageGender)
        : orientationGraph(model, demo.manifest.orientation);
    const path = `${stage}.onnx`;
    await writeFile(join(dir, path), graph.toBytes());
    const tensors = (side: typeof graph.inputs): ModelSpec['inputs'] =>
      side.map((t) => ({ ...t, shape: [...t.shape] }));
    const file = { path, sha256: '', bytes: 1 };
    return { file, opset: 17, inputs: tensors(graph.inputs), outputs: tensors(graph.outputs), madeFrom: '' };
  };
  const prepared = { ageGender: await compose('ageGender'), orientation: await compose('orientation') };
  return { ...demo, manifest: { ...demo.manifest, prepared }, filePath: ({ path }) => join(dir, path) };
}

test.each([NaN, Infinity])('readings of %d are refused', async (value) => {
  const stages = await openStages(await spoiled(value));
  const { frame, detections } = store();
  const refusal = (file: string): object => ({
    code: 'INFERENCE_FAILED',
    message: expect.stringContaining(`${file} output readings has the value`),
  });
  await expect(stages.ageGender.run(everybody(frame, detections))).rejects.toMatchObject(refusal('ageGender.onnx'));
  const item = { frame, box: detections[0]!.box };
  await expect(stages.orientation.run([item])).rejects.toMatchObject(refusal('orientation.onnx'));
  await release(stages);
});
