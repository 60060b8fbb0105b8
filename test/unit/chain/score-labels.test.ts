import { expect, test } from '@jest/globals';
import { labelTrie } from '../../../src/chain/action/label-trie.ts';
import { labelScorer } from '../../../src/chain/action/score-labels.ts';
import { runProgram } from '../../harness/run-program.ts';
import type { HeldLogits } from './held-logits.ts';
import { fakeModel, meter, prefilled } from './fake-logits.ts';

test('a label is the sum of its tokens, each by the whole vocabulary after the tokens before it', async () => {
  const vocabulary = 8;
  const lm = fakeModel(vocabulary, async () => undefined);
  const labels = [[1], [1, 2], [1, 2, 3], [4, 2, 6, 7], [5, 0], [4, 3]];
  const score = await labelScorer(lm, labelTrie(labels), { padding: false, normalisation: 'sum' }, meter);
  const logProb = (before: number, token: number): number => {
    const logits = Array.from({ length: vocabulary }, (_, i) => ((before * 3 + i * 5) % 7) / 2);
    return (logits[token] ?? 0) - Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
  };
  const scores = await score(await prefilled(lm, 3), meter);
  scores.forEach((ofRow, row) => {
    const expected = labels.map((tokens) =>
      tokens.reduce((sum, token, i) => sum + logProb(i === 0 ? row : (tokens[i - 1] ?? 0), token), 0),
    );
    ofRow.forEach((value, label) => expect(value).toBeCloseTo(expected[label] ?? Number.NaN, 10));
  });
  expect(scores).toHaveLength(3);
});

test('however many labels and pictures there are, the logits of one run alone are held', async () => {
  // In a process of its own: what a collection takes grows with all that the tests of this one have left.
  const script = 'test/unit/chain/held-logits.ts';
  const { code, stdout, stderr } = await runProgram(process.execPath, ['--expose-gc', script]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { held, after, ofRun } = JSON.parse(stdout) as HeldLogits;
  expect(held).toHaveLength(10);
  expect((held.at(-1) ?? 0) - (held[0] ?? 0)).toBeLessThan(2 * ofRun);
  expect(after - (held[0] ?? 0)).toBeLessThan(2 * ofRun);
});
