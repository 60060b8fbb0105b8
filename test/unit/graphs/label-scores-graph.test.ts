import { expect, test } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { labelTrie } from '../../../src/chain/action/label-trie.ts';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';
import { addLabelScores } from '../../../src/graphs/prepare/label-scores-graph.ts';
import { logSumExp } from '../../../src/vision/softmax.ts';

const VOCABULARY = 7;
/** Two labels begin alike, and the first two ask for different tokens at one position. */
const LABELS = [[1, 2, 3], [1, 2, 4], [1, 5], [6], [2, 2, 2, 2]];
const ROWS = 3;

function scoresGraph(
  labels: readonly (readonly number[])[],
  normalisation: 'sum' | 'length',
  dtype: 'float16' | 'float32',
) {
  const { places, paths } = labelTrie(labels);
  const length = Math.max(...paths.map((path) => path.length));
  const graph = new GraphBuilder('scores');
  const first = graph.cast(graph.input('first', 'float32', ['rows', VOCABULARY]), dtype);
  const logits = graph.cast(graph.input('later', 'float32', ['answers', length, VOCABULARY]), dtype);
  const rows = graph.node('Slice', [graph.node('Shape', [first]), graph.ints([0]), graph.ints([1])]);
  const answer = { first, later: { logits, paths: paths.length, length } };
  const scores = addLabelScores(graph, rows, answer, { labels, places, vocabulary: VOCABULARY, normalisation });
  graph.output(scores, 'scores', 'float32', ['rows', labels.length]);
  return { graph, places, paths: paths.length, length };
}

const numbers = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => ((i * 37) % 41) / 4 - 5);

test.each([
  ['sum', 'float32'],
  ['length', 'float32'],
  ['sum', 'float16'],
] as const)('%s of the log-probabilities of each label, of logits in %s', async (normalisation, dtype) => {
  const { graph, places, paths, length } = scoresGraph(LABELS, normalisation, dtype);
  // Quarters are exact in half precision too.
  const [first, later] = [numbers(ROWS * VOCABULARY), numbers(ROWS * paths * length * VOCABULARY)];
  const session = await InferenceSession.create(graph.toBytes());
  const { scores } = await session.run({
    first: new Tensor('float32', first, [ROWS, VOCABULARY]),
    later: new Tensor('float32', later, [ROWS * paths, length, VOCABULARY]),
  });
  await session.release();

  const logProb = (values: Float32Array, at: number, token: number): number => {
    const logits = values.subarray(at * VOCABULARY, (at + 1) * VOCABULARY);
    return logits[token]! - logSumExp(logits);
  };
  const expected = Array.from({ length: ROWS }, (_, row) =>
    LABELS.map((tokens, label) => {
      const rest = places[label]!.map(({ path, position }, i) =>
        logProb(later, (row * paths + path) * length + position, tokens[i + 1]!),
      );
      const sum = rest.reduce((total, value) => total + value, logProb(first, row, tokens[0]!));
      return normalisation === 'length' ? sum / tokens.length : sum;
    }),
  ).flat();
  (scores!.data as Float32Array).forEach((score, i) => expect(score).toBeCloseTo(expected[i]!, 4));
  expect(scores!.dims).toEqual([ROWS, LABELS.length]);
});

test('a token that the decoder has no number for is refused', () => {
  expect(() => scoresGraph([[1, VOCABULARY], [2]], 'sum', 'float32')).toThrow(
    'scores: expected logits for token 7 of the labels, found 7 of them',
  );
});
