import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';
import { encodeOnnx } from '../../../src/graphs/onnx/onnx-model.ts';
import { readOnnxByReference } from '../../../src/graphs/onnx/weights-in-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weights-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('large weights stay in their file, also at odd places in it; small ones and those in words come along', async () => {
  const graph = new GraphBuilder('official');
  const x = graph.input('x', 'float32', [300]);
  const ramp = Float32Array.from({ length: 300 }, (_, i) => i);
  const sum = ['Add', 'Add', 'Add'].reduce(
    (value, op, i) =>
      graph.node(op, [
        value,
        graph.floats(
          ramp.map((v) => v * 10 ** i),
          [300],
        ),
      ]),
    x,
  );
  graph.output(graph.node('Add', [sum, graph.scalar(0.5)]), 'y', 'float32', [300]);
  const model = graph.toModel();
  const [, , inWords, small] = model.graph.initializer!;
  inWords!.floatData = Array.from(ramp, (v) => v * 100);
  delete inWords!.rawData;
  await writeFile(join(folder, 'official.onnx'), encodeOnnx({ ...model, producerName: 'an odd number of letters' }));

  const referring = await readOnnxByReference(join(folder, 'official.onnx'));
  const tensors = referring.graph.initializer!;
  expect(tensors.map(({ dataLocation = 0 }) => dataLocation)).toEqual([1, 1, 0, 0]);
  expect(tensors[3]!.rawData).toEqual(Buffer.from(small!.rawData!));
  const offsets = tensors.slice(0, 2).map(({ externalData }) => Number(externalData![1]!.value));
  expect(offsets.some((offset) => offset % 4 !== 0)).toBe(true);

  await writeFile(join(folder, 'referring.onnx'), encodeOnnx(referring));
  const session = await InferenceSession.create(join(folder, 'referring.onnx'));
  const { y } = await session.run({ x: new Tensor('float32', new Float32Array(300), [300]) });
  await session.release();
  expect(y!.data).toEqual(ramp.map((v) => v * 111 + 0.5));
});
