import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { InferenceSession } from 'onnxruntime-node';
import { floatTensor, readableByBinding, readFloats, takeRows } from '../../../src/inference/tensor.ts';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';

let dir: string;
let session: InferenceSession;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'float16-'));
  const graph = new GraphBuilder('concat16');
  graph.input('a', 'float16', ['n', 2]);
  graph.input('b', 'float16', ['n', 3]);
  graph.output(graph.node('Concat', ['a', 'b'], { axis: 1 }), 'y', 'float16', ['n', 5]);
  await writeFile(join(dir, 'concat16.onnx'), graph.toBytes());
  session = await InferenceSession.create(join(dir, 'concat16.onnx'));
});

afterAll(async () => {
  await session.release();
  await rm(dir, { recursive: true, force: true });
});

test('float16 tensors reach a graph: made here, and cut into rows', async () => {
  const a = floatTensor('float16', Float32Array.of(1, 2, 3, 4), [2, 2]);
  const b = takeRows(floatTensor('float16', Float32Array.of(5, 6, 7), [1, 3]), [0, 0]);
  const { y } = await session.run({ a: readableByBinding(a), b: readableByBinding(b) });
  expect([...readFloats(y!)]).toEqual([1, 2, 5, 6, 7, 3, 4, 5, 6, 7]);
});

test('tensors of other types are passed as they are', () => {
  const tensor = floatTensor('float32', Float32Array.of(1), [1]);
  expect(readableByBinding(tensor)).toBe(tensor);
});
