import { Failure } from '../../failure/failure.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import type { BatchModel } from '../../inference/batch-model.ts';
import { openModel, output } from '../../inference/model.ts';
import type { Model } from '../../inference/model.ts';
import type { NamedModel, Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { preparedGraph } from '../../packs/prepared-graph.ts';
import type { ExecutionTarget } from '../../inference/providers.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import { floatTensor, int64Tensor, readFloats } from '../../inference/tensor.ts';
import { cacheRows, emptyCache, runDecoder } from './decoder.ts';
import type { DecoderStep, KvCache } from './decoder.ts';
import { loadTokenizer } from './prompt.ts';
import type { Prompt, TextTokenizer } from './prompt.ts';

/** The three graphs of the vision-language model and its tokenizer. */
export interface LanguageModel {
  readonly language: Pack['manifest']['language'];
  readonly tokenizer: TextTokenizer;
  /** Null where the pack has a prepared one. */
  readonly visionEncoder: BatchModel | null;
  /** Takes raw pictures; null in a pack that was not prepared. */
  readonly preparedEncoder: BatchModel | null;
  readonly embedTokens: Model;
  readonly decoder: Model;
  /** As `Stage.releaseAbove`. */
  readonly releaseAbove: (rows: number) => Promise<void>;
  readonly release: () => Promise<void>;
}

/**
 * Opens the graphs; throws PACK_BROKEN on a mismatch with the manifest. The prepared encoder is taken on CUDA only, unless
 * `preparedEncoder` says otherwise: ONNX Runtime's CPU kernels need ten times as long for its integers as the plain path.
 */
export async function openLanguageModel(
  pack: Pack,
  target: ExecutionTarget,
  options: { readonly preparedEncoder?: boolean } = {},
): Promise<LanguageModel> {
  const { language } = pack.manifest;
  const graph = (field: 'visionEncoder' | 'embedTokens' | 'decoder'): NamedModel => ({
    field: `language.${field}`,
    spec: language[field],
  });
  const tokenizer = await loadTokenizer(pack);
  const wanted = options.preparedEncoder ?? target.device === 'cuda';
  const spec = wanted ? preparedGraph(pack.manifest, 'visionEncoder') : null;
  const preparedEncoder =
    spec === null ? null : await openBatchModel(packGraph(pack, { field: 'prepared.visionEncoder', spec }), target);
  // The same weights twice would fill the GPU's memory for nothing.
  const visionEncoder =
    preparedEncoder === null ? await openBatchModel(packGraph(pack, graph('visionEncoder')), target) : null;
  const embedTokens = await openModel(packGraph(pack, graph('embedTokens')), target);
  const decoder = await openModel(packGraph(pack, graph('decoder')), target);
  const releaseAbove = async (rows: number): Promise<void> => (preparedEncoder ?? visionEncoder)?.releaseAbove(rows);
  const release = async (): Promise<void> => {
    for (const model of [visionEncoder, preparedEncoder, embedTokens, decoder]) await model?.release();
  };
  return { language, tokenizer, visionEncoder, preparedEncoder, embedTokens, decoder, releaseAbove, release };
}

/** Embeddings [ids.length, width] of tokens. */
export async function embed(lm: LanguageModel, ids: readonly number[], meter: StageMeter): Promise<Float32Array> {
  if (ids.length === 0) return new Float32Array(0);
  const { embedTokens } = lm;
  const outputs = await embedTokens.run({ [only(embedTokens.spec.inputs)]: int64Tensor(ids, [1, ids.length]) }, meter);
  return readFloats(output(outputs, only(embedTokens.spec.outputs), embedTokens));
}

/**
 * Features [rows, imageTokens, width] by the official encoder; `pixels` is [rows, 3, size, size], RGB 0..1. Throws INFERENCE_FAILED
 * where only the prepared one is open.
 */
export async function encodeImages(
  lm: LanguageModel,
  pixels: Float32Array,
  rows: number,
  meter: StageMeter,
): Promise<Float32Array> {
  const { visionEncoder, language } = lm;
  if (visionEncoder === null) throw new Failure('INFERENCE_FAILED', 'the pack is prepared: its encoder takes pictures');
  const name = only(visionEncoder.spec.inputs);
  const size = language.imageSize;
  const tensor = floatTensor(visionEncoder.inputType(name), pixels, [rows, 3, size, size]);
  return imageFeatures(lm, visionEncoder, await visionEncoder.run(rows, { [name]: tensor }, meter));
}

/** An encoder's features; throws PACK_BROKEN where their number per picture is not the manifest's. */
export function imageFeatures(
  lm: LanguageModel,
  encoder: BatchModel,
  outputs: Awaited<ReturnType<Model['run']>>,
): Float32Array {
  const features = output(outputs, only(encoder.spec.outputs), encoder);
  if (features.dims[1] !== lm.language.imageTokens) {
    throw new Failure(
      'PACK_BROKEN',
      `${encoder.spec.file.path} gives ${features.dims[1]} positions per image, the manifest says ${lm.language.imageTokens}`,
    );
  }
  return readFloats(features);
}

/** A prompt whose part before the image has been run once: every picture continues from that cache. */
export interface PreparedPrompt {
  readonly prefix: KvCache;
  /** Embeddings of the tokens after the image. */
  readonly after: Float32Array;
  readonly afterLength: number;
}

/** Runs what all pictures of a prompt share. */
export async function preparePrompt(lm: LanguageModel, prompt: Prompt, meter: StageMeter): Promise<PreparedPrompt> {
  const { kv } = lm.language;
  const nothing = emptyCache(lm.decoder, kv, 1);
  const after = await embed(lm, prompt.after, meter);
  if (prompt.before.length === 0) return { prefix: nothing, after, afterLength: prompt.after.length };
  const embeds = await embed(lm, prompt.before, meter);
  const length = prompt.before.length;
  const { cache } = await runDecoder(lm.decoder, kv, { embeds, length, cache: nothing, keep: 1 }, meter);
  return { prefix: cache, after, afterLength: prompt.after.length };
}

/** Runs image features and the rest of the prompt for every row; the logits of the last position start the answer. */
export async function prefill(
  lm: LanguageModel,
  prompt: PreparedPrompt,
  features: Float32Array,
  rows: number,
  meter: StageMeter,
): Promise<DecoderStep> {
  const perImage = features.length / rows;
  const width = perImage / lm.language.imageTokens;
  if (prompt.after.length !== prompt.afterLength * width) {
    throw new Failure('PACK_BROKEN', `image features are ${width} wide, embeddings are not`);
  }
  const perRow = perImage + prompt.after.length;
  const embeds = new Float32Array(rows * perRow);
  for (let row = 0; row < rows; row++) {
    embeds.set(features.subarray(row * perImage, (row + 1) * perImage), row * perRow);
    embeds.set(prompt.after, row * perRow + perImage);
  }
  const length = lm.language.imageTokens + prompt.afterLength;
  const cache = cacheRows(
    prompt.prefix,
    Array.from({ length: rows }, () => 0),
  );
  return runDecoder(lm.decoder, lm.language.kv, { embeds, length, cache, keep: 1 }, meter);
}

function only(tensors: Model['spec']['inputs']): string {
  return tensors[0]?.name ?? '';
}
