import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../../../../src/graphs/onnx/graph-builder.ts';
import { strongestBin } from '../../../../src/graphs/prepare/orientation-graph.ts';
import { readAngle } from '../../../../src/vision/angle.ts';
import { numbers } from '../../../unit/vision/pictures.ts';

const BINS = 72;
let sessions: readonly InferenceSession[];

// ReduceMax takes its axes in another way from operator set 18 on.
beforeAll(async () => {
  sessions = await Promise.all(
    [13, 17, 18].map((opset) => {
      const graph = new GraphBuilder('bins', { opset });
      const input = graph.input('bins', 'float32', ['batch', BINS]);
      graph.output(strongestBin(graph, input, BINS), 'readings', 'float32', ['batch', 2]);
      return InferenceSession.create(graph.toBytes(), { intraOpNumThreads: 1 });
    }),
  );
});

afterAll(async () => {
  for (const session of sessions) await session.release();
});

/** [bin, score] of each row, the same by every operator set. */
async function strongest(rows: readonly (readonly number[])[]): Promise<number[][]> {
  const answers = await Promise.all(
    sessions.map(async (session) => {
      const bins = new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, BINS]);
      const { readings } = await session.run({ bins });
      const data = [...(readings!.data as Float32Array)];
      return rows.map((_, i) => data.slice(i * 2, i * 2 + 2));
    }),
  );
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  return answers[0]!;
}

const rowOf = (values: Readonly<Record<number, number>>): number[] =>
  Array.from({ length: BINS }, (_, bin) => values[bin] ?? 0);

test('finds the bin and the score that the plain path finds, also among equals', async () => {
  const random = numbers(3);
  // Few levels, so that most rows have several greatest values.
  const rows = Array.from({ length: 40 }, () => Array.from({ length: BINS }, () => Math.floor(random() * 9) / 16));
  const flat = [rowOf({}), rowOf({ 71: 1 }), rowOf({ 5: 0.5, 6: 0.5 })];
  const answers = await strongest([...rows, ...flat]);
  const expected = [...rows, ...flat].map((row) => readAngle(row));
  expect(answers.map(([bin, score]) => ({ degrees: bin! * (360 / BINS), score }))).toEqual(expected);
});

test('a value that is no number makes the score one, wherever it is; the other rows keep theirs', async () => {
  const broken = [
    rowOf({ 0: NaN, 9: 1 }),
    rowOf({ 9: 1, 71: NaN }),
    rowOf({ 3: Infinity }),
    rowOf({ 3: -Infinity, 4: 1 }),
  ];
  const answers = await strongest([rowOf({ 8: 0.25 }), ...broken]);
  expect(answers[0]).toEqual([8, 0.25]);
  expect(answers.slice(1).map(([, score]) => score)).toEqual([NaN, NaN, NaN, NaN]);
});
