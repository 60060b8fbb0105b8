import { batchSizes, paddedCount } from '../../inference/batch.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import { logSumExp } from '../../vision/softmax.ts';
import { cacheRows, logitsAt, runDecoder } from '../fastvlm/decoder.ts';
import type { DecoderStep } from '../fastvlm/decoder.ts';
import type { LabelTrie } from './label-trie.ts';
import { embed } from '../fastvlm/language-model.ts';
import type { LanguageModel } from '../fastvlm/language-model.ts';

/** Rows of one continuation run. */
const ROWS_PER_RUN = 16;
const PADDED_ROWS = batchSizes(ROWS_PER_RUN);

interface ScoringOptions {
  /** Fill runs up to the next power of two: ONNX Runtime keeps a memory pattern for every shape that it meets. */
  readonly padding: boolean;
  readonly normalisation: 'sum' | 'length';
}

/**
 * Log-probability (natural logarithm, over the whole vocabulary of the model) of every label as the answer after a prefill, per
 * row: sum over p(token | prompt, tokens before), without the end token; with `length` divided by the number of tokens.
 *
 * The sum is the default because the labels are alternatives of one closed list: it is the probability of the label itself. The
 * mean favours labels whose later tokens are foregone conclusions.
 */
export async function scoreLabels(
  lm: LanguageModel,
  trie: LabelTrie,
  step: DecoderStep,
  options: ScoringOptions,
  meter: StageMeter,
): Promise<readonly (readonly number[])[]> {
  const { rows } = step.cache;
  const pairs = Array.from({ length: rows }, (_, row) => trie.paths.map((_, path) => ({ row, path }))).flat();
  /** Per row and path, the log-probability of any token at each position. */
  const continuations = new Map<string, (position: number, token: number) => number>();
  for (let from = 0; from < pairs.length; from += ROWS_PER_RUN) {
    const part = pairs.slice(from, from + ROWS_PER_RUN);
    const read = await runPaths(lm, { paths: trie.paths, step, pairs: part }, options.padding, meter);
    part.forEach((pair, i) => {
      continuations.set(`${pair.row}/${pair.path}`, (position, token) => read(i, position, token));
    });
  }
  return Array.from({ length: rows }, (_, row) => {
    const first = logitsAt(step, row, 1);
    const norm = logSumExp(first);
    return trie.labels.map((tokens, label) => {
      let sum = (first[tokens[0] ?? 0] ?? Number.NaN) - norm;
      trie.places[label]?.forEach(({ path, position }, i) => {
        sum += continuations.get(`${row}/${path}`)?.(position, tokens[i + 1] ?? 0) ?? Number.NaN;
      });
      return options.normalisation === 'length' ? sum / tokens.length : sum;
    });
  });
}

type ReadLogProb = (row: number, position: number, token: number) => number;

async function runPaths(
  lm: LanguageModel,
  input: {
    readonly paths: LabelTrie['paths'];
    readonly step: DecoderStep;
    readonly pairs: readonly { readonly row: number; readonly path: number }[];
  },
  padding: boolean,
  meter: StageMeter,
): Promise<ReadLogProb> {
  const { paths, step, pairs } = input;
  const length = Math.max(...paths.map((path) => path.length));
  const rows = paddedCount(pairs.length, padding ? PADDED_ROWS : []);
  const last = pairs.at(-1);
  const padded = [...pairs, ...Array.from({ length: rows - pairs.length }, () => last ?? { row: 0, path: 0 })];
  const ids = padded.flatMap(({ path }) => {
    const tokens = paths[path] ?? [];
    return [...tokens, ...Array.from({ length: length - tokens.length }, () => tokens[0] ?? 0)];
  });
  const embeds = await embed(lm, ids, meter);
  const cache = cacheRows(
    step.cache,
    padded.map(({ row }) => row),
  );
  const next = await runDecoder(lm.decoder, lm.language.kv, { embeds, length, cache, keep: length }, meter);
  return (row, position, token) => {
    const logits = logitsAt(next, row, length - position);
    return (logits[token] ?? Number.NaN) - logSumExp(logits);
  };
}
