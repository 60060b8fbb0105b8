import type { ElementType, GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import type { ModelSignature } from './model-signature.ts';
import { unprepared } from './picture-input.ts';
import { cacheNames } from './prepared-inputs.ts';

/** A decoder with a cache of keys and values, as its manifest states it. */
export interface DecoderModel extends InlineOptions {
  readonly model: OnnxModel;
  readonly spec: ModelSignature;
  readonly kv: { readonly layers: number; readonly heads: number; readonly headSize: number };
}

interface DecoderRun {
  /** int64 [1]. */
  readonly rows: Value;
  /** [rows, length, width], in the element type of the decoder's embeddings. */
  readonly embeds: Value;
  readonly length: number;
  /** Keys and values [rows, heads, before, headSize] by the decoder's input, of the positions before this run. */
  readonly cache: Readonly<Record<string, Value>>;
  readonly before: number;
  /** How many of the last positions need logits; a decoder without `num_logits_to_keep` gives all of them. */
  readonly keep: number;
}

interface DecoderOutputs {
  /** [rows, kept, vocabulary]. */
  readonly logits: Value;
  /** Keys and values of all positions so far, by the input that takes them. */
  readonly cache: Readonly<Record<string, Value>>;
}

/**
 * Embeds one run of the decoder: every position attends to all before it. Runs under different prefixes share the weights.
 * Throws PACK_BROKEN where the decoder has other tensors than the manifest says.
 */
export function addDecoder(
  graph: GraphBuilder,
  decoder: DecoderModel,
  prefix: string,
  run: DecoderRun,
): DecoderOutputs {
  const { model, spec } = decoder;
  const { rows, length, before } = run;
  const shape = (...rest: readonly number[]): Value => graph.node('Concat', [rows, graph.ints(rest)], { axis: 0 });
  const positions = Array.from({ length }, (_, i) => before + i);
  const known: Readonly<Record<string, () => Value>> = {
    inputs_embeds: () => run.embeds,
    attention_mask: () => graph.filled(shape(before + length), 'int64', 1),
    position_ids: () => graph.node('Expand', [graph.constant('int64', positions, [1, length]), shape(length)]),
    num_logits_to_keep: () => graph.intScalar(run.keep),
  };
  const inputs = Object.fromEntries(
    spec.inputs.map(({ name }) => {
      const value = run.cache[name] ?? known[name]?.();
      if (value === undefined) throw unprepared(spec, `inputs ${Object.keys(known).join(', ')} and a cache`, name);
      return [name, value];
    }),
  );
  const outputs = graph.embed(model, prefix, inputs, { ...decoder, weightsPrefix: 'decoder' });
  const found = (name: string): Value => {
    const value = outputs[name];
    if (value === undefined) throw unprepared(spec, `an output ${name}`, Object.keys(outputs).slice(0, 4).join(', '));
    return value;
  };
  return {
    logits: found('logits'),
    cache: Object.fromEntries(
      cacheNames(decoder.kv.layers).map((name) => [name, found(name.replace('past_key_values', 'present'))]),
    ),
  };
}

/** Element type of one of the decoder's floating-point inputs; throws PACK_BROKEN for another one. */
export function floatInput({ spec }: Pick<DecoderModel, 'spec'>, name: string): ElementType {
  const dtype = spec.inputs.find((input) => input.name === name)?.dtype;
  if (dtype === 'float32' || dtype === 'float16') return dtype;
  throw unprepared(spec, `an input ${name} of type float32 or float16`, dtype ?? 'none');
}
