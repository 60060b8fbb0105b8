import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pictureEncoder } from '../../../../src/chain/fastvlm/encode-pictures.ts';
import { openLanguageModel } from '../../../../src/chain/fastvlm/language-model.ts';
import type { LanguageModel } from '../../../../src/chain/fastvlm/language-model.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { parseOnnx } from '../../../../src/graphs/onnx/onnx-model.ts';
import { GraphBuilder } from '../../../../src/graphs/onnx/graph-builder.ts';
import { visionEncoderGraph } from '../../../../src/graphs/prepare/vision-encoder-graph.ts';
import { stageMeter } from '../../../../src/inference/stage-meter.ts';
import { wholeArea } from '../../../../src/vision/picture-area.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { createPixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';
import { preparedPack } from '../../../harness/prepared-pack.ts';

const CPU = { device: 'cpu', threads: 1 } as const;
let plain: LanguageModel;
let prepared: LanguageModel;

beforeAll(async () => {
  plain = await openLanguageModel(await loadPack('models/demo'), CPU);
  prepared = await openLanguageModel(await loadPack(await preparedPack('models/demo')), CPU, { preparedEncoder: true });
});

afterAll(async () => {
  await plain?.release();
  await prepared?.release();
});

const striped = (width: number, height: number): Picture => ({
  width,
  height,
  pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i) % 251),
});

test('pictures of any sizes have the features that the plain path gives them, alone and in a batch', async () => {
  const pictures = [striped(30, 80), striped(200, 90), striped(11, 12), striped(700, 500)];
  const expected = await pictureEncoder(plain, createPixelKernel(), 4)(pictures.map(wholeArea), 4, stageMeter());
  const together = await pictureEncoder(prepared, createPixelKernel(), 4)(pictures.map(wholeArea), 4, stageMeter());
  expect(Buffer.compare(Buffer.from(together.buffer), Buffer.from(expected.buffer))).toBe(0);
  const each = expected.length / pictures.length;
  for (const [i, picture] of pictures.entries()) {
    const alone = await pictureEncoder(prepared, createPixelKernel(), 4)([wholeArea(picture)], 1, stageMeter());
    expect([...alone]).toEqual([...expected.subarray(i * each, (i + 1) * each)]);
  }
});

test('on the CPU a prepared pack runs the plain encoder, which is faster there', async () => {
  const pack = await loadPack(await preparedPack('models/demo'));
  const lm = await openLanguageModel(pack, CPU);
  expect([lm.preparedEncoder, lm.visionEncoder?.spec.file.path]).toEqual([null, 'vision_encoder.onnx']);
  await lm.release();
});

test('an encoder that takes something else is refused with what was found', async () => {
  const { manifest } = await loadPack('models/demo');
  const graph = new GraphBuilder('encoder');
  graph.output(
    graph.node('Identity', [graph.input('pixel_values', 'float32', ['batch', 3, 8, 8])]),
    'x',
    'float32',
    [1],
  );
  const model = parseOnnx(graph.toBytes(), 'encoder');
  const spec = manifest.language.visionEncoder;
  const other = (tensors: Partial<typeof spec>): typeof manifest.language => ({
    ...manifest.language,
    visionEncoder: { ...spec, ...tensors },
  });
  const fixed = [{ name: 'pixel_values', dtype: 'float32' as const, shape: [1, 3, 8, 8] }];
  expect(() => visionEncoderGraph(model, other({ inputs: fixed }))).toThrow(/vision_encoder\.onnx.*\[1, 3, 8, 8\]/);
  const wrongType = [{ ...spec.inputs[0]!, dtype: 'int64' as const }];
  expect(() => visionEncoderGraph(model, other({ inputs: wrongType }))).toThrow(/float32 or float16, found int64/);
  expect(() => visionEncoderGraph(model, manifest.language)).toThrow(/an output .*, found x/);
});
