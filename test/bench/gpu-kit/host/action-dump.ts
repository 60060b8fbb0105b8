/**
 * Writes what a one-graph action model is composed from beside the pack's graphs, by the project's own code on the CPU: the cache of the
 * prompt's shared beginning, embeddings of its end and of the labels' paths, and where the labels' tokens are read.
 *
 *     action-dump.ts PREPARED-PACK FOLDER
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labelTrie } from '../../../../src/chain/action/label-trie.ts';
import { embed, openLanguageModel, preparePrompt } from '../../../../src/chain/fastvlm/language-model.ts';
import { buildPrompt } from '../../../../src/chain/fastvlm/prompt.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { stageMeter } from '../../../../src/inference/stage-meter.ts';
import { requireArguments } from './command-arguments.ts';
import { printLine } from './json-lines.ts';

const args = process.argv.slice(2);
requireArguments(args, 2, 'action-dump.ts PREPARED-PACK FOLDER');
const [dir = '', folder = ''] = args;
await mkdir(folder, { recursive: true });
const pack = await loadPack(dir);
const { action, language, prepared } = pack.manifest;
const encoder = prepared?.visionEncoder;
if (encoder === undefined) throw new Error(`${dir} has no prepared vision encoder`);

const lm = await openLanguageModel(pack, { device: 'cpu' }, { preparedEncoder: false });
const trie = labelTrie(action.labels.map((label) => lm.tokenizer.encode(label)));
const prompt = await preparePrompt(lm, buildPrompt(lm.tokenizer, lm.language, action.question), stageMeter());
const pathLength = Math.max(...trie.paths.map((path) => path.length));
// What stands after a path's own end is never read.
const ids = trie.paths.flatMap((path) => Array.from({ length: pathLength }, (_, i) => path[i] ?? path[0] ?? 0));
await write('after', prompt.after);
await write('paths', await embed(lm, ids, stageMeter()));
for (const [name, tensor] of Object.entries(prompt.prefix.tensors)) await write(name, tensor.data);
const facts = {
  labels: trie.labels,
  places: trie.places,
  paths: trie.paths.length,
  pathLength,
  prefix: prompt.prefix.length,
  after: prompt.afterLength,
  hidden: prompt.after.length / prompt.afterLength,
  imageTokens: language.imageTokens,
  kv: language.kv,
  features: language.visionEncoder.outputs[0]?.name,
  encoder: pack.filePath(encoder.file),
  decoder: pack.filePath(language.decoder.file),
};
await writeFile(join(folder, 'facts.json'), JSON.stringify(facts));
await lm.release();
printLine({
  labels: trie.labels.length,
  paths: trie.paths.length,
  pathLength,
  promptTokens: prompt.prefix.length + language.imageTokens + prompt.afterLength,
});

/** The plain numbers, in the element type that they have. */
async function write(name: string, values: ArrayBufferView | readonly string[]): Promise<void> {
  if (!ArrayBuffer.isView(values)) throw new Error(`${name} has no numbers`);
  await writeFile(join(folder, `${name}.bin`), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}
