import { type ElementType, GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import { addDecoder, type DecoderModel, floatInput } from './decoder-graph.ts';
import { addLabelScores, type LabelReads } from './label-scores-graph.ts';
import type { ModelSignature } from './model-signature.ts';
import { addPictureEncoder, encoderTensors, type PictureEncoder } from './picture-encoder.ts';
import { cacheNames } from './prepared-inputs.ts';

/** What the graph needs to know of the vision-language model. */
interface VisionLanguage extends PictureEncoder {
  readonly decoder: ModelSignature;
  readonly kv: DecoderModel['kv'];
  /** Positions that a picture takes. */
  readonly imageTokens: number;
}

interface EmbeddedModel extends InlineOptions {
  readonly model: OnnxModel;
}

/** Embeddings of tokens, row by row. */
interface EmbeddedTokens {
  /** Positions of a row. */
  readonly length: number;
  readonly embeds: Float32Array;
}

/** What is the same for every picture: made once by the pack's own models. */
export interface ActionPrompt {
  /** Keys and values of the positions before the picture, each [1, heads, length, headSize], by the decoder's input. */
  readonly before: { readonly length: number; readonly cache: Readonly<Record<string, Float32Array>> };
  /** One row: what stands between the picture and the answer. */
  readonly after: EmbeddedTokens;
  /** A row for each token path after which a label goes on; a shorter path is filled up. */
  readonly paths: EmbeddedTokens & { readonly count: number };
  readonly reads: LabelReads;
}

/**
 * From raw pictures to label scores in one graph, at the models' own opset: the vision encoder, the decoder over the rest of the
 * prompt, which continues from the cache of what stands before the picture, and the decoder again over every token path of the
 * labels. Both copies of the decoder share their weights, and no cache leaves the device.
 *
 * In: the inputs of `addPictureEncoder`. Out: `scores` float32 [rows, labels]. Throws PACK_BROKEN where the models do not fit
 * together, such as two opsets.
 */
export function actionGraph(
  models: { readonly encoder: EmbeddedModel; readonly decoder: EmbeddedModel },
  language: VisionLanguage,
  prompt: ActionPrompt,
): GraphBuilder {
  const tensors = encoderTensors(models.encoder.model, language);
  const { features } = tensors;
  const graph = new GraphBuilder('prepared_action', { opset: tensors.opset });
  const encoder = { model: models.encoder.model, tensors, spec: language.visionEncoder };
  const picture = addPictureEncoder(graph, encoder, models.encoder);
  const rows = graph.node('Slice', [graph.node('Shape', [picture]), graph.ints([0]), graph.ints([1])]);

  const decoder: DecoderModel = { ...models.decoder, spec: language.decoder, kv: language.kv };
  const dtype = floatInput(decoder, 'inputs_embeds');
  const seen = features.dtype === dtype ? picture : graph.cast(picture, dtype);
  const rest = addRows(graph, rows, { ...prompt.after, count: 1, dtype });
  const prefix = prompt.before.length;
  const start = addDecoder(graph, decoder, 'prompt', {
    rows,
    embeds: rest === null ? seen : graph.node('Concat', [seen, rest], { axis: 1 }),
    length: language.imageTokens + prompt.after.length,
    cache: addPrefix(graph, rows, decoder, prompt.before),
    before: prefix,
    keep: 1,
  });
  const first = graph.node('Gather', [start.logits, graph.intScalar(-1)], { axis: 1 });
  const before = prefix + language.imageTokens + prompt.after.length;
  const later = addPaths(graph, rows, decoder, { paths: prompt.paths, cache: start.cache, before });
  graph.output(addLabelScores(graph, rows, { first, later }, prompt.reads), 'scores', 'float32', [
    'rows',
    prompt.reads.labels.length,
  ]);
  return graph;
}

/** The same rows of embeddings for every picture: [rows * count, length, width]; null where there are none. */
function addRows(
  graph: GraphBuilder,
  rows: Value,
  tokens: EmbeddedTokens & { readonly count: number; readonly dtype: ElementType },
): Value | null {
  const { length, embeds, count, dtype } = tokens;
  if (embeds.length === 0) return null;
  const width = embeds.length / (count * length);
  const once = graph.constant(dtype, embeds, [1, count * length, width]);
  const shape = graph.node('Concat', [rows, graph.ints([count * length, width])], { axis: 0 });
  const many = graph.node('Expand', [once, shape]);
  return count === 1 ? many : graph.node('Reshape', [many, graph.ints([-1, length, width])]);
}

/** The cache of what stands before the picture, for every row. */
function addPrefix(
  graph: GraphBuilder,
  rows: Value,
  decoder: DecoderModel,
  { length, cache }: ActionPrompt['before'],
): Readonly<Record<string, Value>> {
  const { heads, headSize } = decoder.kv;
  const shape = graph.node('Concat', [rows, graph.ints([heads, length, headSize])], { axis: 0 });
  return Object.fromEntries(
    cacheNames(decoder.kv.layers).map((name) => {
      const dtype = floatInput(decoder, name);
      const values = cache[name] ?? new Float32Array(0);
      // A constant without elements is no constant to every reader of graphs.
      if (length === 0) return [name, graph.filled(shape, dtype, 0)];
      return [name, graph.node('Expand', [graph.constant(dtype, values, [1, heads, length, headSize]), shape])];
    }),
  );
}

/** The decoder over every path after every row: its rows are the paths of the first picture, those of the second, and so on. */
function addPaths(
  graph: GraphBuilder,
  rows: Value,
  decoder: DecoderModel,
  after: {
    readonly paths: ActionPrompt['paths'];
    readonly cache: Readonly<Record<string, Value>>;
    readonly before: number;
  },
): { readonly logits: Value; readonly paths: number; readonly length: number } | null {
  const { paths, cache, before } = after;
  const { heads, headSize } = decoder.kv;
  const embeds = addRows(graph, rows, { ...paths, dtype: floatInput(decoder, 'inputs_embeds') });
  if (embeds === null) return null;
  const wide = graph.node('Concat', [rows, graph.ints([paths.count, heads, before, headSize])], { axis: 0 });
  const spread = Object.entries(cache).map(([name, value]) => {
    const many = graph.node('Expand', [graph.node('Unsqueeze', [value, graph.ints([1])]), wide]);
    return [name, graph.node('Reshape', [many, graph.ints([-1, heads, before, headSize])])] as const;
  });
  const { logits } = addDecoder(graph, decoder, 'answers', {
    rows: graph.node('Mul', [rows, graph.ints([paths.count])]),
    embeds,
    length: paths.length,
    cache: Object.fromEntries(spread),
    before,
    keep: paths.length,
  });
  return { logits, paths: paths.count, length: paths.length };
}
