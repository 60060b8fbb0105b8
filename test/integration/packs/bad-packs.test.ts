import { createHash } from 'node:crypto';
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { ELEMENT_TYPES, encodeOnnx, parseOnnx } from '../../../src/graphs/onnx/onnx-model.ts';
import { describeProblem } from '../../../src/packs/pack-problem.ts';
import { verifyPack } from '../../../src/packs/verify-pack.ts';
import { at, writeTinyPack } from './tiny-pack.ts';
import type { TinyPack } from './tiny-pack.ts';

let pack: TinyPack;

beforeEach(async () => {
  pack = await writeTinyPack();
});

afterEach(() => rm(pack.dir, { recursive: true }));

async function problems(options: { readonly graphs?: boolean } = {}): Promise<readonly string[]> {
  await pack.save();
  return (await verifyPack(await loadPack(pack.dir), { hash: true, ...options })).map(describeProblem);
}

/** Writes a file of the pack and states it in the manifest as it is. */
async function put(bytes: Uint8Array | string, ...place: readonly (string | number)[]): Promise<void> {
  const file = at(pack.manifest, ...place);
  const content = Buffer.from(bytes as Uint8Array);
  await writeFile(join(pack.dir, file['path'] as string), content);
  Object.assign(file, { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
}

/** Moves the weights of the orientation graph into a file of their own. */
async function externalise(changes: { readonly named?: boolean; readonly cut?: number } = {}): Promise<void> {
  const path = join(pack.dir, 'orientation.onnx');
  const model = parseOnnx(await readFile(path), path);
  const weights: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph.initializer ?? []) {
    // Numbers that shapes depend on have to stay inside.
    if (tensor.dataType !== ELEMENT_TYPES.indexOf('float')) continue;
    const data = tensor.rawData ?? new Uint8Array();
    weights.push(data);
    tensor.dataLocation = 1;
    tensor.externalData = [
      { key: 'location', value: 'orientation.weights' },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(data.length) },
    ];
    delete tensor.rawData;
    offset += data.length;
  }
  const all = Buffer.concat(weights).subarray(0, offset - (changes.cut ?? 0));
  if (changes.named !== false) {
    at(pack.manifest, 'orientation', 'model')['externalData'] = [{ path: 'orientation.weights', bytes: 0, sha256: '' }];
    await put(all, 'orientation', 'model', 'externalData', 0);
  } else await writeFile(join(pack.dir, 'orientation.weights'), all);
  await put(encodeOnnx(model), 'orientation', 'model', 'file');
}

describe('weights outside the graph', () => {
  test('are fine where the manifest names them', async () => {
    await externalise();
    expect(await problems()).toEqual([]);
  });

  test('are refused where it does not: nobody would see them change', async () => {
    await externalise({ named: false });
    expect(await problems()).toEqual([
      'orientation.onnx: external data orientation.weights: expected to be named in the manifest under orientation.model.externalData, found missing there',
    ]);
  });

  test('are refused when they are missing, or too short for what the graph reads', async () => {
    await externalise({ cut: 2 });
    const { size } = await stat(join(pack.dir, 'orientation.weights'));
    expect(await problems()).toEqual([
      `orientation.onnx: external data orientation.weights: expected at least ${size + 2} bytes, found ${size} bytes`,
    ]);
    await rm(join(pack.dir, 'orientation.weights'));
    expect(await problems()).toEqual([
      expect.stringMatching(/^orientation\.weights: file: expected .*orientation\.weights, found ENOENT/),
    ]);
  });
});

test('a graph that was cut off before the manifest was written is refused', async () => {
  const path = join(pack.dir, 'detector.onnx');
  const { size } = await stat(path);
  await truncate(path, size - 40);
  await put(await readFile(path), 'detection', 'model', 'file');
  expect(await problems()).toEqual([
    expect.stringMatching(
      /^detector\.onnx: graph: expected an ONNX model, found .*detector\.onnx is not an ONNX file, or is cut off/,
    ),
  ]);
});

describe('a tokenizer', () => {
  test.each([
    ['{"added_tokens": {}}', /^tokenizer\.json: added_tokens: expected a tokenizer, found .*array/],
    ['null', /^tokenizer\.json: tokenizer: expected a tokenizer, found /],
    ['{"added_tokens": [', /^tokenizer\.json: tokenizer: expected JSON, found /],
    ['{"added_tokens": [{"id": 1, "content": "<|im_end|>"}]}', /expected 0 = <image>, found none$/],
    ['{"added_tokens": [{"id": 0, "content": "<image>"}]}', /expected 1 as a stop token, found none$/],
  ])('%s is refused', async (text, problem) => {
    await put(text, 'language', 'tokenizer');
    expect(await problems({ graphs: false })).toEqual([expect.stringMatching(problem)]);
  });

  test('without a marker of the chat template is refused', async () => {
    at(pack.manifest, 'language')['template'] = '<|im_start|>{system}<image>{question}<|im_end|>';
    expect(await problems({ graphs: false })).toEqual([
      'tokenizer.json: special token: expected <|im_start|> of the template, found none',
    ]);
  });
});

describe('a vocabulary', () => {
  test.each([
    [['sitting', ' sitting '], 'labels must differ from each other'],
    [['sitting', '  '], 'Too small'],
    [['sitting', ''], 'Too small'],
    [['sitting'], 'Too small'],
  ])('of %j is refused with its field', async (labels, problem) => {
    at(pack.manifest, 'action')['labels'] = labels;
    await pack.save();
    await expect(loadPack(pack.dir)).rejects.toMatchObject({
      code: 'PACK_BROKEN',
      message: expect.stringMatching(
        new RegExp(`manifest\\.json is not a pack manifest[\\s\\S]*${problem}[\\s\\S]*action\\.labels`),
      ),
    });
  });
});

describe('parts of the manifest that contradict each other', () => {
  test.each<[readonly (string | number)[], unknown, string]>([
    [
      ['detection', 'classes'],
      ['person', 'person'],
      'detection.classes: expected each class once, found person, person',
    ],
    [['detection', 'classes'], ['person'], 'detection.model.outputs.0.shape.1: expected 5, found 6'],
    [
      ['detection', 'model', 'inputs', 0, 'dtype'],
      'uint8',
      'detection.model.inputs.0.dtype: expected float32 or float16, found uint8',
    ],
    [['ageGender', 'maxAge'], 1, 'ageGender.maxAge: expected more than minAge (1), found 1'],
    [['ageGender', 'std'], [1, 0, 1], 'ageGender.std: expected numbers above 0, found 1, 0, 1'],
    [
      ['ageGender', 'model', 'inputs', 0, 'shape'],
      ['n', 3, 8, 8],
      'ageGender.model.inputs.0.shape.1: expected 6, found 3',
    ],
    [['orientation', 'bins'], 36, 'orientation.model.outputs.0.shape.1: expected 36, found 72'],
    [['language', 'imageTokens'], 3, 'language.visionEncoder.outputs.0.shape.1: expected 3, found 2'],
    [['language', 'template'], '<image><image>{question}', 'language.template: expected one <image>, found 2'],
    [['action', 'question'], 'what does <image> do?', 'action.question: expected no <image>, found one'],
  ])('%j = %j', async (place, value, problem) => {
    at(pack.manifest, ...place.slice(0, -1))[place.at(-1)!] = value;
    expect(await problems({ graphs: false })).toEqual([`manifest.json: ${problem}`]);
  });

  test('a detector that wants more than a picture', async () => {
    const inputs = at(pack.manifest, 'detection', 'model')['inputs'] as unknown[];
    inputs.push({ name: 'pixel_mask', dtype: 'int64', shape: ['n', 8, 8] });
    expect(await problems({ graphs: false })).toEqual([
      'manifest.json: detection.model.inputs: expected one picture, found images, pixel_mask',
    ]);
  });

  test('a detector that finds nobody', async () => {
    at(pack.manifest, 'detection')['classes'] = ['face', 'face'];
    expect(await problems({ graphs: false })).toEqual([
      'manifest.json: detection.classes: expected person among them, found face, face',
      'manifest.json: detection.classes: expected each class once, found face, face',
    ]);
  });

  test('a cache with other layers or sizes than the decoder', async () => {
    at(pack.manifest, 'language')['kv'] = { layers: 2, heads: 1, headSize: 4 };
    expect(await problems({ graphs: false })).toEqual([
      'manifest.json: language.decoder.inputs: expected past_key_values.1.key and past_key_values.1.value for kv.layers 2, found none',
      'manifest.json: language.decoder.inputs.past_key_values.0.key.shape.3: expected 4, found 2',
      'manifest.json: language.decoder.inputs.past_key_values.0.value.shape.3: expected 4, found 2',
      'manifest.json: language.decoder.outputs: expected present.1.key and present.1.value for kv.layers 2, found none',
      'manifest.json: language.decoder.outputs.present.0.key.shape.3: expected 4, found 2',
      'manifest.json: language.decoder.outputs.present.0.value.shape.3: expected 4, found 2',
    ]);
  });
});
