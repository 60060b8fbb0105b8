import { expect, test } from '@jest/globals';
import type { Tensor } from 'onnxruntime-node';
import { cacheRows, emptyCache, logitsAt, runDecoder } from '../../../src/chain/fastvlm/decoder.ts';
import type { Model } from '../../../src/inference/model.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { floatTensor, readFloats } from '../../../src/inference/tensor.ts';

const kv = { layers: 1, heads: 1, headSize: 2 };

/** A graph that remembers what it is fed and answers with zeros, caches one position longer per position fed. */
function fakeDecoder(type: string, keepsLogits: boolean): { model: Model; feeds: Record<string, Tensor>[] } {
  const feeds: Record<string, Tensor>[] = [];
  const model: Model = {
    spec: { file: { path: 'decoder.onnx' }, inputs: [], outputs: [] },
    target: { device: 'cpu' },
    inputType: (name) => (name.endsWith('_mask') || name.endsWith('_ids') ? 'int64' : type),
    hasInput: (name) => name !== 'num_logits_to_keep' || keepsLogits,
    run: async (fed) => {
      feeds.push({ ...fed });
      const [rows = 0, length = 0] = fed['inputs_embeds']?.dims ?? [];
      const total = (fed['past_key_values.0.key']?.dims[2] ?? 0) + length;
      const kept = keepsLogits ? Number(fed['num_logits_to_keep']?.data[0]) : length;
      const cache = floatTensor(type, new Float32Array(rows * total * 2).fill(total), [rows, 1, total, 2]);
      const logits = Float32Array.from({ length: rows * kept * 3 }, (_, i) => i);
      return { logits: floatTensor(type, logits, [rows, kept, 3]), 'present.0.key': cache, 'present.0.value': cache };
    },
    release: async () => undefined,
  };
  return { model, feeds };
}

test.each(['float32', 'float16'])('a %s graph is fed with its own element type, caches included', async (type) => {
  const { model, feeds } = fakeDecoder(type, false);
  const first = await runDecoder(
    model,
    kv,
    { embeds: new Float32Array(2 * 3 * 4), length: 3, cache: emptyCache(model, kv, 2), keep: 1 },
    stageMeter(),
  );
  const cache = cacheRows(first.cache, [1, 1, 0]);
  await runDecoder(model, kv, { embeds: new Float32Array(3 * 4), length: 1, cache, keep: 1 }, stageMeter());
  for (const fed of feeds) {
    expect(fed['inputs_embeds']!.type).toBe(type);
    expect(fed['past_key_values.0.value']!.type).toBe(type);
    expect(fed['attention_mask']!.type).toBe('int64');
  }
  expect(feeds[0]!['past_key_values.0.key']!.dims).toEqual([2, 1, 0, 2]);
  expect(feeds[1]!['past_key_values.0.key']!.dims).toEqual([3, 1, 3, 2]);
  expect(readFloats(feeds[1]!['past_key_values.0.key']!)[0]).toBe(3);
});

test('positions and mask continue after the cache', async () => {
  const { model, feeds } = fakeDecoder('float32', false);
  const start = { embeds: new Float32Array(2 * 4), length: 2, cache: emptyCache(model, kv, 1), keep: 1 };
  const { cache } = await runDecoder(model, kv, start, stageMeter());
  await runDecoder(model, kv, { embeds: new Float32Array(2 * 4), length: 2, cache, keep: 1 }, stageMeter());
  expect([...(feeds[0]!['position_ids']!.data as BigInt64Array)]).toEqual([0n, 1n]);
  expect([...(feeds[1]!['position_ids']!.data as BigInt64Array)]).toEqual([2n, 3n]);
  expect(feeds[1]!['attention_mask']!.dims).toEqual([1, 4]);
});

test.each([
  [true, 2],
  [false, 3],
])('with num_logits_to_keep %s the last positions are read from %i rows', async (keepsLogits, kept) => {
  const { model, feeds } = fakeDecoder('float32', keepsLogits);
  const input = { embeds: new Float32Array(2 * 3 * 4), length: 3, cache: emptyCache(model, kv, 2), keep: 2 };
  const step = await runDecoder(model, kv, input, stageMeter());
  expect('num_logits_to_keep' in feeds[0]!).toBe(keepsLogits);
  expect(step.kept).toBe(kept);
  expect([...logitsAt(step, 1, 1)]).toEqual([0, 1, 2].map((i) => (2 * kept - 1) * 3 + i));
  expect([...logitsAt(step, 0, 2)]).toEqual([0, 1, 2].map((i) => (kept - 2) * 3 + i));
});
