import { expect, test } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { labelTrie } from '../../../src/chain/action/label-trie.ts';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';
import { addLabelScores } from '../../../src/graphs/prepare/label-scores-graph.ts';
import { scoreBound } from '../../../src/preparation/compare-actions.ts';
import { logSumExp } from '../../../src/vision/softmax.ts';

/** The official models' vocabulary. */
const VOCABULARY = 151_936;
/** For tokens anywhere in it. */
const STRIDE = 50_021;
/** The most of its bound that a right score may be off: a little more than half was measured with AVX2 alone, a fifth with AVX-512. */
const MOST_SHARE = 0.75;

/** Normally distributed with a standard deviation of 3, the same everywhere. */
function logits(count: number): Float32Array {
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => 3 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

test.each([4, 12, 24])(
  'over the whole official vocabulary a right score lies well within its bound, %d tokens',
  async (tokens) => {
    const label = Array.from({ length: tokens }, (_, at) => (7 + at * STRIDE) % VOCABULARY);
    const { places, paths } = labelTrie([label]);
    const length = paths[0]!.length;
    const graph = new GraphBuilder('scores');
    const first = graph.input('first', 'float32', ['rows', VOCABULARY]);
    const later = graph.input('later', 'float32', ['rows', length, VOCABULARY]);
    const answer = { first, later: { logits: later, paths: 1, length } };
    const reads = { labels: [label], places, vocabulary: VOCABULARY, normalisation: 'sum' } as const;
    graph.output(addLabelScores(graph, graph.ints([1]), answer, reads), 'scores', 'float32', ['rows', 1]);

    const values = logits(label.length * VOCABULARY);
    const session = await InferenceSession.create(graph.toBytes());
    const { scores } = await session.run({
      first: new Tensor('float32', values.slice(0, VOCABULARY), [1, VOCABULARY]),
      later: new Tensor('float32', values.slice(VOCABULARY), [1, length, VOCABULARY]),
    });
    await session.release();

    const expected = label.reduce((sum, token, at) => {
      const row = values.subarray(at * VOCABULARY, (at + 1) * VOCABULARY);
      return sum + row[token]! - logSumExp(row);
    }, 0);
    const difference = Math.abs((scores!.data as Float32Array)[0]! - expected);
    expect(difference).toBeLessThan(MOST_SHARE * scoreBound('single', tokens, 'sum'));
  },
);

test('a bound grows with the longest label, and not where scores are divided by their length', () => {
  const bounds = [1, 4, 6, 24].map((tokens) => scoreBound('single', tokens, 'sum'));
  expect(bounds).toEqual([1e-4, 1e-4, 1.5e-4, 6e-4]);
  expect(scoreBound('narrower', 8, 'sum')).toBe(0.2);
  expect(scoreBound('single', 24, 'length')).toBe(1e-4);
});
