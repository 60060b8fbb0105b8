import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { labelTrie } from '../../../src/chain/action/label-trie.ts';
import { labelScorer } from '../../../src/chain/action/score-labels.ts';
import { emptyCache, runDecoder } from '../../../src/chain/fastvlm/decoder.ts';
import type { LanguageModel } from '../../../src/chain/fastvlm/language-model.ts';
import type { Model } from '../../../src/inference/model.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { floatTensor, readFloats } from '../../../src/inference/tensor.ts';

const kv = { layers: 1, heads: 1, headSize: 1 };
const meter = stageMeter();

/** A graph whose logits say where they come from; `onRun` is called before each answer. */
function fakeModel(vocabulary: number, onRun: () => Promise<void>): LanguageModel {
  const decoder: Model = {
    spec: { file: { path: 'decoder.onnx' }, inputs: [], outputs: [] },
    target: { device: 'cpu' },
    inputType: (name) => (name.endsWith('_mask') || name.endsWith('_ids') ? 'int64' : 'float16'),
    hasInput: () => true,
    run: async (fed) => {
      await onRun();
      const [rows = 0, length = 0] = fed['inputs_embeds']?.dims ?? [];
      const total = (fed['past_key_values.0.key']?.dims[2] ?? 0) + length;
      const kept = Number(fed['num_logits_to_keep']?.data[0]);
      const values = new Float32Array(rows * kept * vocabulary);
      const embeds = readFloats(fed['inputs_embeds']!);
      for (let row = 0; row < rows; row++) {
        for (let at = 0; at < kept; at++) {
          const token = embeds[row * length + length - kept + at] ?? 0;
          const start = (row * kept + at) * vocabulary;
          for (let i = 0; i < Math.min(8, vocabulary); i++) values[start + i] = ((token * 3 + i * 5) % 7) / 2;
        }
      }
      const cache = floatTensor('float16', new Float32Array(rows * total), [rows, 1, total, 1]);
      const logits = floatTensor('float16', values, [rows, kept, vocabulary]);
      return { logits, 'present.0.key': cache, 'present.0.value': cache };
    },
    release: async () => undefined,
  };
  const embedTokens: Model = {
    ...decoder,
    spec: {
      file: { path: 'embed.onnx' },
      inputs: [{ name: 'ids', shape: [1, 'length'] }],
      outputs: [{ name: 'embeds', shape: [1, 'length', 1] }],
    },
    // An embedding is its token.
    run: async ({ ids }) => ({
      embeds: floatTensor('float32', Float32Array.from(ids?.data as BigInt64Array, Number), [1, ids?.dims[1] ?? 0, 1]),
    }),
  };
  return { language: { kv }, decoder, embedTokens } as unknown as LanguageModel;
}

async function prefilled(lm: LanguageModel, rows: number) {
  const embeds = Float32Array.from({ length: rows }, (_, row) => row);
  return await runDecoder(
    lm.decoder,
    kv,
    { embeds, length: 1, cache: emptyCache(lm.decoder, kv, rows), keep: 1 },
    meter,
  );
}

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
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  /** What is held when nothing is left to free: the memory of buffers is freed beside a collection, and the next one waits for that. */
  const memory = async (): Promise<number> => {
    for (const _ of [1, 2, 3]) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    return process.memoryUsage().arrayBuffers;
  };
  const vocabulary = 50_000;
  const held: number[] = [];
  const lm = fakeModel(vocabulary, async () => void held.push(await memory()));
  const labels = Array.from({ length: 20 }, (_, label) => [label + 10, label + 40, label + 70]);
  const score = await labelScorer(lm, labelTrie(labels), { padding: false, normalisation: 'sum' }, meter);
  const step = await prefilled(lm, 8);
  held.length = 0;
  await score(step, meter);
  expect(held).toHaveLength(10);
  // Of 16 rows with two positions each.
  const ofRun = 16 * 2 * vocabulary * 2;
  expect((held.at(-1) ?? 0) - (held[0] ?? 0)).toBeLessThan(2 * ofRun);
  expect((await memory()) - (held[0] ?? 0)).toBeLessThan(2 * ofRun);
});
