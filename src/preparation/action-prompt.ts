import { filledPaths, labelTrie } from '../chain/action/label-trie.ts';
import { labelTokens } from '../chain/action/read-actions.ts';
import { emptyCache, runDecoder } from '../chain/fastvlm/decoder.ts';
import { embed, openLanguageModel, preparePrompt, type LanguageModel } from '../chain/fastvlm/language-model.ts';
import { buildPrompt } from '../chain/fastvlm/prompt.ts';
import type { ActionPrompt } from '../graphs/prepare/action-graph.ts';
import { stageMeter } from '../inference/stage-meter.ts';
import { readFloats } from '../inference/tensor.ts';
import type { Pack } from '../packs/load-pack.ts';

/**
 * What the action's graph holds as constants, by the pack's own models on the CPU: the cache of the prompt's beginning, the embeddings of
 * its end and of the labels' paths. Throws PACK_BROKEN as the stage itself does when it opens.
 */
export async function readActionPrompt(pack: Pack): Promise<ActionPrompt> {
  // One thread: the constants, and so the pack's fingerprint, are not to depend on the number of cores.
  const lm = await openLanguageModel(pack, { device: 'cpu', threads: 1 }, { preparedEncoder: false });
  try {
    return await readPrompt(lm, pack);
  } finally {
    await lm.release();
  }
}

async function readPrompt(lm: LanguageModel, { manifest: { action } }: Pack): Promise<ActionPrompt> {
  const meter = stageMeter();
  const trie = labelTrie(labelTokens(lm, action.labels));
  const { labels, places, paths } = trie;
  const text = buildPrompt(lm.tokenizer, lm.language, action.question);
  const prompt = await preparePrompt(lm, text, meter);
  const cache = Object.entries(prompt.prefix.tensors).map(([name, tensor]) => [name, readFloats(tensor)] as const);
  const { length, ids } = filledPaths(trie);
  const [used = 0] = [...text.before, ...text.after, ...ids];
  return {
    before: { length: prompt.prefix.length, cache: Object.fromEntries(cache) },
    after: { length: prompt.afterLength, embeds: prompt.after },
    paths: { count: paths.length, length, embeds: await embed(lm, ids, meter) },
    reads: { labels, places, vocabulary: await readVocabulary(lm, used), normalisation: action.normalisation ?? 'sum' },
  };
}

/**
 * How many numbers the decoder gives for a position; a manifest may leave it open. `token`: one that the stage embeds, which the image
 * token is not: it need not have a row in the table.
 */
async function readVocabulary(lm: LanguageModel, token: number): Promise<number> {
  const { kv } = lm.language;
  const embeds = await embed(lm, [token], stageMeter());
  const one = { embeds, length: 1, cache: emptyCache(lm.decoder, kv, 1), keep: 1 };
  return (await runDecoder(lm.decoder, kv, one, stageMeter())).vocabulary;
}
