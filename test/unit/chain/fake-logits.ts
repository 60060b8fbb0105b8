import { emptyCache, runDecoder } from '../../../src/chain/fastvlm/decoder.ts';
import type { LanguageModel } from '../../../src/chain/fastvlm/language-model.ts';
import type { Model } from '../../../src/inference/model.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { floatTensor, readFloats } from '../../../src/inference/tensor.ts';

const kv = { layers: 1, heads: 1, headSize: 1 };
export const meter = stageMeter();

/** A graph whose logits say where they come from; `onRun` is called before each answer. */
export function fakeModel(vocabulary: number, onRun: () => Promise<void>): LanguageModel {
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

/** A prompt of one token for each row, which is the row's number. */
export async function prefilled(lm: LanguageModel, rows: number) {
  const embeds = Float32Array.from({ length: rows }, (_, row) => row);
  return await runDecoder(
    lm.decoder,
    kv,
    { embeds, length: 1, cache: emptyCache(lm.decoder, kv, rows), keep: 1 },
    meter,
  );
}
