import { afterAll, beforeAll, expect } from '@jest/globals';
import { logitsAt, runDecoder, emptyCache } from '../../../src/chain/fastvlm/decoder.ts';
import type { DecoderStep } from '../../../src/chain/fastvlm/decoder.ts';
import { answerText, generate } from '../../../src/chain/fastvlm/generate.ts';
import { labelTrie, type LabelTrie } from '../../../src/chain/action/label-trie.ts';
import {
  embed,
  encodeImages,
  openLanguageModel,
  prefill,
  preparePrompt,
} from '../../../src/chain/fastvlm/language-model.ts';
import type { LanguageModel, PreparedPrompt } from '../../../src/chain/fastvlm/language-model.ts';
import { buildPrompt } from '../../../src/chain/fastvlm/prompt.ts';
import { labelScorer, type ScoreLabels } from '../../../src/chain/action/score-labels.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { goldenFloats, goldenVlm, hasStreet, largestDifference, loadStreet, streetTest } from './street-pack.ts';

const golden = hasStreet ? goldenVlm() : { promptTokenIds: [], imageTokenStart: 0, crops: [] };
const meter = stageMeter();
let lm: LanguageModel;
let prompt: PreparedPrompt;
let question: string;
let labels: readonly string[];

beforeAll(async () => {
  if (!hasStreet) return;
  const pack = await loadStreet();
  lm = await openLanguageModel(pack, { device: 'cpu', threads: 1 });
  ({ question, labels } = pack.manifest.action);
  prompt = await preparePrompt(lm, buildPrompt(lm.tokenizer, lm.language, question), meter);
});

afterAll(async () => {
  if (hasStreet) await lm.release();
});

function pixelsOf(crops: readonly number[], rows = crops.length): Float32Array {
  const pixels = new Float32Array(rows * 3 * 256 * 256);
  crops.forEach((crop, i) => pixels.set(goldenFloats(golden.crops[crop]!.pixelValues.file), i * 3 * 256 * 256));
  return pixels;
}

/** The encoder may get rows after the crops; the decoder gets the crops alone. */
async function start(crops: readonly number[], rows = crops.length): Promise<DecoderStep> {
  const features = await encodeImages(lm, pixelsOf(crops, rows), rows, meter);
  const used = features.subarray(0, (features.length / rows) * crops.length);
  return prefill(lm, prompt, used, crops.length, meter);
}

function tokens(): readonly (readonly number[])[] {
  return labels.map((label) => lm.tokenizer.encode(label));
}

streetTest('the prompt has the reference ids with one place for the image', async () => {
  const { before, after } = buildPrompt(lm.tokenizer, lm.language, question);
  expect([...before, 447, ...after]).toEqual(golden.promptTokenIds);
  expect(before.length).toBe(golden.imageTokenStart);
});

streetTest('labels have the reference tokens', async () => {
  const expected = golden.crops[0]!.labelLogProbs;
  expect(tokens()).toEqual(labels.map((label) => expected[label]!.tokenIds));
});

streetTest('image features and the last logits of the prefill are the reference ones, all crops together', async () => {
  const rows = golden.crops.map((_, i) => i);
  const features = await encodeImages(lm, pixelsOf(rows), rows.length, meter);
  const step = await start(rows);
  for (const [i, crop] of golden.crops.entries()) {
    const size = features.length / rows.length;
    const own = features.subarray(i * size, (i + 1) * size);
    expect(largestDifference(own, goldenFloats(crop.imageFeatures.file))).toBeLessThan(1e-3);
    expect(largestDifference(logitsAt(step, i, 1), goldenFloats(crop.prefillLastLogits.file))).toBeLessThan(1e-3);
  }
});

streetTest('greedy answers have the reference ids although they end at different steps', async () => {
  const rows = golden.crops.map((_, i) => i);
  const answers = await generate(lm, await start(rows), 16, meter);
  expect(answers).toEqual(golden.crops.map((crop) => crop.greedyTokenIds));
  expect(answers.map((ids) => answerText(lm, ids))).toEqual(golden.crops.map((crop) => crop.greedyText));
});

streetTest('a greedy answer stops at the limit of new tokens', async () => {
  const [answer] = await generate(lm, await start([0]), 2, meter);
  expect(answer).toEqual(golden.crops[0]!.greedyTokenIds.slice(0, 2));
});

async function scores(
  trie: LabelTrie,
  options: Parameters<typeof labelScorer>[2],
  step: DecoderStep,
): ReturnType<ScoreLabels> {
  return await (
    await labelScorer(lm, trie, options, meter)
  )(step, meter);
}

streetTest('label sums are the reference log-probabilities', async () => {
  const rows = golden.crops.map((_, i) => i);
  const step = await start(rows);
  const scoring = { padding: false, normalisation: 'sum' } as const;
  const found = await scores(labelTrie(tokens()), scoring, step);
  for (const [i, crop] of golden.crops.entries()) {
    const expected = labels.map((label) => crop.labelLogProbs[label]!.sum);
    expect(largestDifference(found[i]!, expected)).toBeLessThan(1e-3);
    expect(labels[found[i]!.indexOf(Math.max(...found[i]!))]).toBe(crop.action);
  }
});

streetTest('length normalisation divides by the number of tokens', async () => {
  const step = await start([2]);
  const trie = labelTrie(tokens());
  const sums = await scores(trie, { padding: false, normalisation: 'sum' }, step);
  const means = await scores(trie, { padding: false, normalisation: 'length' }, step);
  const expected = sums[0]!.map((sum, label) => sum / trie.labels[label]!.length);
  expect(largestDifference(means[0]!, expected)).toBeLessThan(1e-6);
});

streetTest('a crop scores the same alone, among others and in a padded batch', async () => {
  const trie = labelTrie(tokens());
  const together = await scores(trie, { padding: true, normalisation: 'sum' }, await start([0, 1, 2], 4));
  expect(together.length).toBe(3);
  for (const crop of [0, 1, 2]) {
    const options = { padding: false, normalisation: 'sum' } as const;
    const alone = await scores(trie, options, await start([crop]));
    expect(largestDifference(alone[0]!, together[crop]!)).toBeLessThan(1e-4);
  }
});

streetTest('continuing from the shared prefix equals one full pass without a cache', async () => {
  const { before, after } = buildPrompt(lm.tokenizer, lm.language, question);
  const label = tokens()[0]!;
  const features = await encodeImages(lm, pixelsOf([3]), 1, meter);
  const parts = [await embed(lm, before, meter), features, await embed(lm, [...after, ...label], meter)];
  const length = before.length + lm.language.imageTokens + after.length + label.length;
  const embeds = Float32Array.from(parts.flatMap((part) => [...part]));
  const cache = emptyCache(lm.decoder, lm.language.kv, 1);
  const full = await runDecoder(lm.decoder, lm.language.kv, { embeds, length, cache, keep: label.length + 1 }, meter);

  let step = await start([3]);
  for (const [i, token] of label.entries()) {
    expect(largestDifference(logitsAt(step, 0, 1), logitsAt(full, 0, label.length + 1 - i))).toBeLessThan(1e-4);
    const next = { embeds: await embed(lm, [token], meter), length: 1, cache: step.cache, keep: 1 };
    step = await runDecoder(lm.decoder, lm.language.kv, next, meter);
  }
  expect(largestDifference(logitsAt(step, 0, 1), logitsAt(full, 0, 1))).toBeLessThan(1e-4);
});
