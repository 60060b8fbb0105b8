import { Failure } from '../../failure/failure.ts';
import { cacheNames } from '../../graphs/prepare/prepared-inputs.ts';
import { output } from '../../inference/model.ts';
import type { Model } from '../../inference/model.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import {
  emptyTensor,
  floatTensor,
  int64Tensor,
  readFloatRange,
  takeRows,
  type Tensor,
} from '../../inference/tensor.ts';

/** Keys and values of `length` positions for every row of a batch, in the element type of the graph. */
export interface KvCache {
  readonly length: number;
  readonly rows: number;
  /** By the name of the input that takes it. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

export interface DecoderStep {
  /** [rows, kept, vocabulary]: the last `kept` positions of the run, in the graph's element type. */
  readonly logits: Tensor;
  readonly kept: number;
  readonly vocabulary: number;
  /** The given cache and the positions of this run. */
  readonly cache: KvCache;
}

interface KvShape {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
}

const LOGITS_TO_KEEP = 'num_logits_to_keep';

/** A cache that holds nothing yet. */
export function emptyCache(model: Model, kv: KvShape, rows: number): KvCache {
  const tensors: Record<string, Tensor> = {};
  for (const name of cacheNames(kv.layers)) {
    tensors[name] = emptyTensor(model.inputType(name), [rows, kv.heads, 0, kv.headSize]);
  }
  return { length: 0, rows, tensors };
}

/** The cache of a new batch whose rows continue the named rows of this one. */
export function cacheRows(cache: KvCache, rows: readonly number[]): KvCache {
  const tensors = Object.fromEntries(Object.entries(cache.tensors).map(([name, t]) => [name, takeRows(t, rows)]));
  return { length: cache.length, rows: rows.length, tensors };
}

/**
 * Runs `length` positions of every row after those of the cache. `embeds` is [rows, length, width]. Every position attends to all
 * before it, so what stands after a row's last real position changes nothing before it: right padding needs no mask.
 * `keep`: how many of the last positions need logits; a graph without `num_logits_to_keep` gives all of them.
 */
export async function runDecoder(
  model: Model,
  kv: KvShape,
  input: { readonly embeds: Float32Array; readonly length: number; readonly cache: KvCache; readonly keep: number },
  meter: StageMeter,
): Promise<DecoderStep> {
  const { embeds, length, cache, keep } = input;
  const { rows } = cache;
  const width = embeds.length / (rows * length);
  const total = cache.length + length;
  const positions = Array.from({ length: rows * length }, (_, i) => cache.length + (i % length));
  const feeds: Record<string, Tensor> = {
    inputs_embeds: floatTensor(model.inputType('inputs_embeds'), embeds, [rows, length, width]),
    attention_mask: int64Tensor(new Uint8Array(rows * total).fill(1), [rows, total]),
    position_ids: int64Tensor(positions, [rows, length]),
    ...cache.tensors,
  };
  if (model.hasInput(LOGITS_TO_KEEP)) feeds[LOGITS_TO_KEEP] = int64Tensor([keep], []);
  const outputs = await model.run(feeds, meter);

  const logits = output(outputs, 'logits', model);
  const [, kept, vocabulary] = logits.dims;
  if (kept === undefined || vocabulary === undefined || kept < keep) {
    throw new Failure('INFERENCE_FAILED', `${model.spec.file.path}: logits have the shape [${logits.dims.join(', ')}]`);
  }
  const tensors: Record<string, Tensor> = {};
  for (const name of cacheNames(kv.layers)) {
    tensors[name] = output(outputs, name.replace('past_key_values', 'present'), model);
  }
  return { logits, kept, vocabulary, cache: { length: total, rows, tensors } };
}

/** Logits of one position of one row, counted from the end: 1 is the last. */
export function logitsAt(step: DecoderStep, row: number, fromEnd: number): Float32Array {
  const start = (row * step.kept + step.kept - fromEnd) * step.vocabulary;
  return readFloatRange(step.logits, start, step.vocabulary);
}
