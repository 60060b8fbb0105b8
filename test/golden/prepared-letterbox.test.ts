import { afterAll, beforeAll, expect } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { frameInputs } from '../../src/chain/detection/frame-inputs.ts';
import { GraphBuilder } from '../../src/graphs/onnx/graph-builder.ts';
import { addFrames } from '../../src/graphs/prepare/frame-graph.ts';
import { GoldenGroup, sha256 } from '../harness/golden-folder.ts';

interface Case {
  id: string;
  input: { file: string };
  full_sha256: string;
}

const SIZE = 640;
let session: InferenceSession;

beforeAll(async () => {
  const graph = new GraphBuilder('letterbox');
  const levels = addFrames(graph, { height: SIZE, width: SIZE });
  graph.output(graph.cast(levels, 'uint8'), 'levels', 'uint8', ['batch', SIZE, SIZE, 3]);
  session = await InferenceSession.create(graph.toBytes());
});

afterAll(() => session.release());

// To the last bit, as the plain letterbox.
new GoldenGroup<Case>('letterbox').each(async ({ input, full_sha256 }, files) => {
  const { width, height, pixels } = await files.picture(input.file);
  const { rows, columns } = frameInputs({ width, height }, { width: SIZE, height: SIZE, fill: 114 });
  const frames = new Tensor('uint8', pixels, [1, height, width, 3]);
  const { levels } = await session.run({ frames, rows, columns });
  expect(sha256(levels!.data as Uint8Array)).toBe(full_sha256);
});
