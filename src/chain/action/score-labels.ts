import { batchSizes, paddedCount } from '../../inference/batch.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import { logSumExp } from '../../vision/softmax.ts';
import { cacheRows, logitsAt, runDecoder } from '../fastvlm/decoder.ts';
import type { DecoderStep } from '../fastvlm/decoder.ts';
import { filledPaths, type LabelTrie } from './label-trie.ts';
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

/** Label scores after a prefill, per row in the order of the labels. */
export type ScoreLabels = (step: DecoderStep, meter: StageMeter) => Promise<readonly (readonly number[])[]>;

/**
 * Scores labels: the log-probability (natural logarithm, over the whole vocabulary of the model) of every label as the answer after a
 * prefill, per row: sum over p(token | prompt, tokens before), without the end token; with `length` divided by the number of tokens.
 *
 * The sum is the default because the labels are alternatives of one closed list: it is the probability of the label itself. The
 * mean favours labels whose later tokens are foregone conclusions.
 */
export async function labelScorer(
  lm: LanguageModel,
  trie: LabelTrie,
  options: ScoringOptions,
  meter: StageMeter,
): Promise<ScoreLabels> {
  const paths = await embedPaths(lm, trie, meter);
  const asks = askedTokens(trie);
  return async (step, asked) => {
    const { rows } = step.cache;
    const pairs = Array.from({ length: rows }, (_, row) => trie.paths.map((_, path) => ({ row, path }))).flat();
    const continuations = new Map<string, PathReading>();
    for (let from = 0; from < pairs.length; from += ROWS_PER_RUN) {
      const part = pairs.slice(from, from + ROWS_PER_RUN);
      const readings = await runPaths(lm, { paths, asks, step, pairs: part }, options.padding, asked);
      part.forEach(({ row, path }, i) => continuations.set(`${row}/${path}`, readings[i] ?? []));
    }
    return Array.from({ length: rows }, (_, row) => {
      const first = logProbs(step, row, 1);
      return trie.labels.map((tokens, label) => {
        let sum = first(tokens[0] ?? 0);
        trie.places[label]?.forEach(({ path, position }, i) => {
          sum += continuations.get(`${row}/${path}`)?.[position]?.get(tokens[i + 1] ?? 0) ?? Number.NaN;
        });
        return options.normalisation === 'length' ? sum / tokens.length : sum;
      });
    });
  };
}

/** The embeddings of every path, filled up to the longest: they are the same for every picture. */
interface EmbeddedPaths {
  readonly length: number;
  /** [length, width] each. */
  readonly embeds: readonly Float32Array[];
}

async function embedPaths(lm: LanguageModel, trie: LabelTrie, meter: StageMeter): Promise<EmbeddedPaths> {
  const { paths } = trie;
  const { length, ids } = filledPaths(trie);
  const values = await embed(lm, ids, meter);
  const size = paths.length === 0 ? 0 : values.length / paths.length;
  return { length, embeds: paths.map((_, path) => values.subarray(path * size, (path + 1) * size)) };
}

/** Log-probabilities at each position of a path, by the tokens that labels ask for there. */
type PathReading = readonly ReadonlyMap<number, number>[];

/** Tokens that labels ask for, by path and position. */
type AskedTokens = readonly (readonly ReadonlySet<number>[])[];

function askedTokens({ labels, paths, places }: LabelTrie): AskedTokens {
  const asked = paths.map((path) => path.map(() => new Set<number>()));
  labels.forEach((tokens, label) => {
    places[label]?.forEach(({ path, position }, i) => asked[path]?.[position]?.add(tokens[i + 1] ?? 0));
  });
  return asked;
}

/**
 * Runs paths after rows of the step, and reads a number for each token that is asked for. The logits are left to the collector: a run
 * of 16 rows has megabytes of them for each position.
 */
async function runPaths(
  lm: LanguageModel,
  input: {
    readonly paths: EmbeddedPaths;
    readonly asks: AskedTokens;
    readonly step: DecoderStep;
    readonly pairs: readonly { readonly row: number; readonly path: number }[];
  },
  padding: boolean,
  meter: StageMeter,
): Promise<readonly PathReading[]> {
  const { paths, asks, step, pairs } = input;
  const { length } = paths;
  const rows = paddedCount(pairs.length, padding ? PADDED_ROWS : []);
  const last = pairs.at(-1);
  const padded = [...pairs, ...Array.from({ length: rows - pairs.length }, () => last ?? { row: 0, path: 0 })];
  const size = paths.embeds[0]?.length ?? 0;
  const embeds = new Float32Array(rows * size);
  padded.forEach(({ path }, row) => embeds.set(paths.embeds[path] ?? [], row * size));
  const cache = cacheRows(
    step.cache,
    padded.map(({ row }) => row),
  );
  const next = await runDecoder(lm.decoder, lm.language.kv, { embeds, length, cache, keep: length }, meter);
  // Labels that begin alike ask the same position, and each answer goes once over the whole vocabulary.
  return pairs.map(({ path }, row) =>
    (asks[path] ?? []).map((tokens, position) => readTokens(next, row, length - position, tokens)),
  );
}

function readTokens(
  step: DecoderStep,
  row: number,
  fromEnd: number,
  tokens: ReadonlySet<number>,
): ReadonlyMap<number, number> {
  if (tokens.size === 0) return new Map();
  const logProb = logProbs(step, row, fromEnd);
  return new Map(Array.from(tokens, (token) => [token, logProb(token)]));
}

/** Log-probabilities of tokens at one position, counted from the end. */
function logProbs(step: DecoderStep, row: number, fromEnd: number): (token: number) => number {
  const logits = logitsAt(step, row, fromEnd);
  const norm = logSumExp(logits);
  return (token) => (logits[token] ?? Number.NaN) - norm;
}
