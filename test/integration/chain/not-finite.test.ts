import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Tensor } from 'onnxruntime-node';
import { openFastVlm } from '../../harness/fast-vlm.ts';
import { openAgeGender } from '../../../src/chain/age-gender/open-age-gender.ts';
import { openDetection } from '../../../src/chain/detection/open-detection.ts';
import { openOrientation } from '../../../src/chain/orientation/open-orientation.ts';
import { readOutput } from '../../../src/chain/read-output.ts';
import type { StageOptions } from '../../../src/chain/stage.ts';
import { loadPack, type Pack } from '../../../src/packs/load-pack.ts';
import type { Model } from '../../../src/inference/model.ts';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';
import { readOnnx } from '../../../src/graphs/onnx/onnx-model.ts';
import type { ModelSpec } from '../../../src/packs/pack-manifest.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { writeDetrPack } from '../../harness/detr-pack.ts';
import { wholeArea } from '../../../src/vision/picture-area.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { pictureOf, somebody } from '../demo/pictures.ts';

const target = { device: 'cpu', threads: 1 } as const;
const options = (): StageOptions => stageOptions({ target, limit: 1 });
const frame = pictureOf(somebody());
const box = { x1: 300, y1: 250, x2: 600, y2: 700 };
const person = { class: 'person', box, score: 1 } as const;
const folders: string[] = [];
let demo: Pack;

beforeAll(async () => {
  demo = await loadPack('models/demo');
});

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** The pack with a number added to one output of one of its graphs. */
async function spoiled(pack: Pack, spec: ModelSpec, name: string, value: number): Promise<Pack> {
  const folder = await mkdtemp(join(tmpdir(), 'spoiled-'));
  folders.push(folder);
  const graph = new GraphBuilder('spoiled');
  const inputs = spec.inputs.map((tensor) => [tensor.name, graph.input(tensor.name, tensor.dtype, tensor.shape)]);
  const outputs = graph.embed(await readOnnx(pack.filePath(spec.file)), 'official', Object.fromEntries(inputs));
  for (const tensor of spec.outputs) {
    const found = outputs[tensor.name]!;
    const result = tensor.name === name ? graph.node('Add', [found, graph.scalar(value)]) : found;
    graph.output(result, tensor.name, tensor.dtype, tensor.shape);
  }
  const path = join(folder, spec.file.path);
  await writeFile(path, graph.toBytes());
  return { ...pack, filePath: (file) => (file.path === spec.file.path ? path : pack.filePath(file)) };
}

const refusal = (message: RegExp): object => ({
  code: 'INFERENCE_FAILED',
  class: 'system',
  message: expect.stringMatching(message),
});

test.each([NaN, Infinity, -Infinity])('a detector that gives %d is refused', async (value) => {
  const stage = await openDetection(await spoiled(demo, demo.manifest.detection.model, 'output0', value), options());
  const message = new RegExp(`^detector\\.onnx output output0 has the value ${value} at position 0; expected finite`);
  await expect(stage.run([frame])).rejects.toMatchObject(refusal(message));
  await stage.release();
});

test.each(['logits', 'pred_boxes'])('a detector of the DETR kind that gives NaN as %s is refused', async (name) => {
  const { dir } = await writeDetrPack({ activation: 'sigmoid', letterboxFill: null });
  folders.push(dir);
  const pack = await loadPack(dir);
  const stage = await openDetection(await spoiled(pack, pack.manifest.detection.model, name, NaN), options());
  const message = new RegExp(`^detr\\.onnx output ${name} has the value NaN at position 0; expected finite`);
  await expect(stage.run([frame])).rejects.toMatchObject(refusal(message));
  await stage.release();
});

test('ages and angles that are no numbers are refused', async () => {
  const { ageGender, orientation } = demo.manifest;
  const ages = await openAgeGender(await spoiled(demo, ageGender.model, 'output', NaN), options());
  const item = { frame, detections: [person], pair: { person: 0, face: null } };
  await expect(ages.run([item])).rejects.toMatchObject(refusal(/^age_gender\.onnx output output has the value NaN/));
  await ages.release();
  const angles = await openOrientation(await spoiled(demo, orientation.model, 'output', Infinity), options());
  await expect(angles.run([{ frame, box }])).rejects.toMatchObject(
    refusal(/^orientation\.onnx output output has the value Infinity/),
  );
  await angles.release();
});

test.each([
  ['the decoder', 'decoder', 'logits'],
  ['the vision encoder', 'visionEncoder', 'image_features'],
] as const)('labels and sentences from NaN of %s are refused', async (_, part, name) => {
  const pack = await spoiled(demo, demo.manifest.language[part], name, NaN);
  const model = await openFastVlm(pack, { target, padTo: [], action: stageMeter(), scene: stageMeter() });
  await expect(model.readActions([wholeArea(frame)])).rejects.toMatchObject(
    refusal(/^decoder_model_merged\.onnx output logits gives the label scores NaN.*; expected finite numbers$/),
  );
  await expect(model.describe([wholeArea(frame)])).rejects.toMatchObject(
    refusal(/^decoder_model_merged\.onnx output logits has the value NaN; expected finite numbers$/),
  );
  await model.release();
});

test('an output of another shape is refused with both shapes', () => {
  const model = { spec: { file: { path: 'age_gender.onnx' } } } as Model;
  const outputs = { output: new Tensor('float32', new Float32Array(8), [2, 4]) };
  const read = (...shape: readonly (number | string)[]): unknown => readOutput(model, outputs, 'output', shape);
  expect(() => read(2, 3)).toThrow('age_gender.onnx output output is [2, 4], expected [2, 3]');
  expect(() => read(4, 4)).toThrow('age_gender.onnx output output is [2, 4], expected [4, 4]');
  expect(() => read(2, 'queries', 4)).toThrow('age_gender.onnx output output is [2, 4], expected [2, queries, 4]');
  expect(read('rows', 4)).toMatchObject({ dims: [2, 4] });
});
