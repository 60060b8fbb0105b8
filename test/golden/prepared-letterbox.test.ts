import { afterAll, beforeAll, expect } from '@jest/globals';
import { InferenceSession } from 'onnxruntime-node';
import { frameBatch } from '../../src/chain/detection/frame-batch.ts';
import { frameFit } from '../../src/chain/detection/frame-fit.ts';
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
  const frame = await files.picture(input.file);
  const { lines, feeds } = frameFit(frame, { width: SIZE, height: SIZE, fill: 114 });
  const { levels } = await session.run({ frames: frameBatch()([frame], lines, 1), ...feeds });
  expect(sha256(levels!.data as Uint8Array)).toBe(full_sha256);
});
