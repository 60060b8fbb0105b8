import { GraphBuilder, type Value } from '../../src/graphs/onnx/graph-builder.ts';
import { Operators } from './operators.ts';
import { ACTION_LABELS } from './scene/visual-code.ts';
import { FEATURE, MAX_CURRENT, MAX_NEXT, WIDTH } from './features.ts';
import { SCENE_WORD } from './prompts.ts';
import { grammar, type Unit } from './sentence-grammar.ts';
import { idOf, type Vocabulary } from './tokenizer.ts';

export const KV = { layers: 2, heads: 2, headSize: 16 } as const;
/** The first entries of a head turn with the position (rotary embedding), the others do not. */
const ROTARY = 8;
const FREQUENCIES = [1, 0.31, 0.097, 0.03];
const CONTENT = ROTARY;
const SHARP = 200;
/** Scores are divided by the root of the head size, so weights are multiplied by it. */
const ROOT = Math.sqrt(KV.headSize);

type Matrix = number[][];

interface Layer {
  readonly query: Matrix;
  readonly key: Matrix;
  readonly value: Matrix;
  readonly out: Matrix;
}

/** `input_ids` [N,T] -> `inputs_embeds` [N,T,128]. */
export function buildEmbedTokens(vocabulary: Vocabulary): GraphBuilder {
  const graph = new GraphBuilder('demo_embed_tokens');
  const ids = graph.input('input_ids', 'int64', ['batch', 'tokens']);
  const table = zeros(vocabulary.ids.size, WIDTH);
  for (const [token, id] of vocabulary.ids) {
    if (token !== '<image>') table[id]![FEATURE.one] = 1;
  }
  table[idOf(vocabulary, SCENE_WORD)]![FEATURE.sceneWord] = 1;
  table[idOf(vocabulary, 'assistant')]![FEATURE.assistantWord] = 1;
  for (const [token, entry] of currentEntries()) table[idOf(vocabulary, token)]![entry] = 1;
  const embeds = graph.node('Gather', [matrix(graph, table), ids], { axis: 0 });
  graph.output(embeds, 'inputs_embeds', 'float32', ['batch', 'tokens', WIDTH]);
  return graph;
}

/**
 * A two-layer transformer with a key-value cache. Layer 0 finds out what is asked (one head looks for the word of the scene
 * question, one at the previous token); layer 1 looks at the image positions, for an action more at the middle than at the
 * sides, and its hidden units write the next token's logits.
 */
export function buildDecoder(vocabulary: Vocabulary): GraphBuilder {
  const graph = new GraphBuilder('demo_decoder');
  const ops = new Operators(graph);
  const embeds = graph.input('inputs_embeds', 'float32', ['batch', 'tokens', WIDTH]);
  const mask = graph.input('attention_mask', 'int64', ['batch', 'past_and_tokens']);
  const positions = graph.input('position_ids', 'int64', ['batch', 'tokens']);
  const past = Array.from({ length: KV.layers }, (_, layer) => ({
    key: graph.input(`past_key_values.${layer}.key`, 'float32', ['batch', KV.heads, 'past', KV.headSize]),
    value: graph.input(`past_key_values.${layer}.value`, 'float32', ['batch', KV.heads, 'past', KV.headSize]),
  }));
  const bias = attentionBias(ops, embeds, mask);
  const rotation = rotationOf(ops, positions);
  const layers = [questionLayer(), imageLayer()];
  const present: { key: Value; value: Value }[] = [];
  let stream = embeds;
  for (const [index, layer] of layers.entries()) {
    const query = rotate(ops, heads(ops, stream, layer.query), rotation);
    const key = join(ops, past[index]!.key, rotate(ops, heads(ops, stream, layer.key), rotation));
    const value = join(ops, past[index]!.value, heads(ops, stream, layer.value));
    present.push({ key, value });
    const turned = graph.node('Transpose', [key], { perm: [0, 1, 3, 2] });
    const scores = ops.add(ops.mul(graph.node('MatMul', [query, turned]), 1 / ROOT), bias);
    const mixed = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), value]);
    const flat = ops.reshape(graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }), [0, 0, KV.heads * KV.headSize]);
    stream = ops.add(stream, graph.node('MatMul', [flat, matrix(graph, layer.out)]));
  }
  stream = ops.add(stream, hiddenUnits(ops, stream, grammar()));
  const logits = vocabularyLogits(ops, stream, vocabulary);
  graph.output(logits, 'logits', 'float32', ['batch', 'tokens', vocabulary.ids.size]);
  for (const [layer, { key, value }] of present.entries()) {
    const shape = ['batch', KV.heads, 'past_and_tokens', KV.headSize];
    graph.output(key, `present.${layer}.key`, 'float32', shape);
    graph.output(value, `present.${layer}.value`, 'float32', shape);
  }
  return graph;
}

function questionLayer(): Layer {
  const layer = emptyLayer();
  // Head 0: to the word of the scene question, if there is one.
  layer.query[FEATURE.one]![CONTENT] = 25 * ROOT;
  layer.key[FEATURE.sceneWord]![CONTENT] = 1;
  layer.value[FEATURE.sceneWord]![0] = 1;
  layer.out[0]![FEATURE.sceneMode] = 1;
  // Head 1: to the previous token. Both sides are the same vector turned by their position, the query by one step less.
  const pairs = ROTARY / 2;
  for (const [pair, frequency] of FREQUENCIES.entries()) {
    layer.query[FEATURE.one]![KV.headSize + pair] = SHARP * Math.cos(frequency);
    layer.query[FEATURE.one]![KV.headSize + pairs + pair] = -SHARP * Math.sin(frequency);
    layer.key[FEATURE.one]![KV.headSize + pair] = 1;
  }
  layer.value[FEATURE.assistantWord]![KV.headSize] = 1;
  layer.out[KV.headSize]![FEATURE.afterAssistant] = 1;
  return layer;
}

function imageLayer(): Layer {
  const layer = emptyLayer();
  for (const head of [0, 1]) {
    const at = head * KV.headSize + CONTENT;
    layer.query[FEATURE.one]![at] = 30 * ROOT;
    layer.key[FEATURE.image]![at] = 1;
  }
  // Head 0: the actions' colours; for an action question the middle columns count more.
  layer.query[FEATURE.one]![CONTENT + 1] = ROOT;
  layer.query[FEATURE.sceneMode]![CONTENT + 1] = -ROOT;
  layer.key[FEATURE.middle]![CONTENT + 1] = 1;
  for (const index of ACTION_LABELS.keys()) {
    layer.value[FEATURE.evidence + index]![index] = 1;
    layer.out[index]![FEATURE.seen + index] = 1;
  }
  // Head 1: the number of heads, everywhere alike.
  layer.value[FEATURE.heads]![KV.headSize] = 1;
  layer.out[KV.headSize]![FEATURE.seenHeads] = 1;
  return layer;
}

function emptyLayer(): Layer {
  const inner = KV.heads * KV.headSize;
  return { query: zeros(WIDTH, inner), key: zeros(WIDTH, inner), value: zeros(WIDTH, inner), out: zeros(inner, WIDTH) };
}

/** 0 where a query may look, -1e4 at padding and at later tokens: [N,1,T,past+T]. The order is that of the mask's ones. */
function attentionBias(ops: Operators, embeds: Value, mask: Value): Value {
  const { graph } = ops;
  const real = graph.node('Cast', [mask], { to: 1 });
  const order = graph.node('CumSum', [real, graph.intScalar(1)]);
  const tokens = graph.node('Slice', [
    graph.node('Shape', [embeds]),
    graph.ints([1]),
    graph.ints([2]),
    graph.ints([0]),
  ]);
  const last = graph.node('Slice', [order, graph.node('Neg', [tokens]), graph.ints([2 ** 31 - 1]), graph.ints([1])]);
  const keys = graph.node('Unsqueeze', [order, graph.ints([1, 2])]);
  const queries = graph.node('Unsqueeze', [last, graph.ints([1, 3])]);
  const later = ops.clip(ops.sub(keys, queries), 0, 1);
  const padding = ops.sub(1, graph.node('Unsqueeze', [real, graph.ints([1, 2])]));
  return ops.mul(ops.clip(ops.add(later, padding), 0, 1), -1e4);
}

interface Rotation {
  readonly cos: Value;
  readonly sin: Value;
}

function rotationOf(ops: Operators, positions: Value): Rotation {
  const { graph } = ops;
  const place = graph.node('Unsqueeze', [graph.node('Cast', [positions], { to: 1 }), graph.ints([1, 3])]);
  const angles = ops.mul(place, graph.floats(FREQUENCIES, [1, 1, 1, FREQUENCIES.length]));
  return { cos: graph.node('Cos', [angles]), sin: graph.node('Sin', [angles]) };
}

/** Turns the pairs (i, i + 4) of the first eight entries of every head by the position's angles. */
function rotate(ops: Operators, vectors: Value, { cos, sin }: Rotation): Value {
  const pairs = ROTARY / 2;
  const first = ops.slice(vectors, 3, 0, pairs);
  const second = ops.slice(vectors, 3, pairs, ROTARY);
  const rest = ops.slice(vectors, 3, ROTARY, KV.headSize);
  const turnedFirst = ops.sub(ops.mul(first, cos), ops.mul(second, sin));
  const turnedSecond = ops.add(ops.mul(first, sin), ops.mul(second, cos));
  return ops.concat([turnedFirst, turnedSecond, rest], 3);
}

/** [N,T,128] -> [N,heads,T,headSize]. */
function heads(ops: Operators, stream: Value, weights: Matrix): Value {
  const projected = ops.graph.node('MatMul', [stream, matrix(ops.graph, weights)]);
  const split = ops.reshape(projected, [0, 0, KV.heads, KV.headSize]);
  return ops.graph.node('Transpose', [split], { perm: [0, 2, 1, 3] });
}

function join(ops: Operators, past: Value, now: Value): Value {
  return ops.concat([past, now], 2);
}

function hiddenUnits(ops: Operators, stream: Value, units: readonly Unit[]): Value {
  const { graph } = ops;
  const current = currentEntries();
  const next = nextEntries();
  const into = zeros(WIDTH, units.length);
  const out = zeros(units.length, WIDTH);
  for (const [index, unit] of units.entries()) {
    for (const [feature, weight] of unit.inputs) into[feature]![index] = weight;
    for (const token of unit.current) into[current.get(token)!]![index] = unit.weight;
    out[index]![next.get(unit.next)!] = 1;
  }
  const bias = graph.floats(
    units.map((unit) => unit.bias),
    [units.length],
  );
  const hidden = ops.relu(ops.add(graph.node('MatMul', [stream, matrix(graph, into)]), bias));
  return graph.node('MatMul', [hidden, matrix(graph, out)]);
}

/** Tokens that the decoder never writes stay well below those it does; with nothing to say it ends the answer. */
function vocabularyLogits(ops: Operators, stream: Value, vocabulary: Vocabulary): Value {
  const { graph } = ops;
  const size = vocabulary.ids.size;
  const weights = zeros(WIDTH, size);
  const bias = Array.from({ length: size }, () => -8);
  for (const [token, entry] of nextEntries()) {
    weights[entry]![idOf(vocabulary, token)] = 1;
    bias[idOf(vocabulary, token)] = token === '<|im_end|>' ? 1 : 0;
  }
  return ops.add(graph.node('MatMul', [stream, matrix(graph, weights)]), graph.floats(bias, [size]));
}

/** The tokens that some step depends on, each with its entry of the stream. */
function currentEntries(): ReadonlyMap<string, number> {
  return entries(
    grammar().flatMap((unit) => unit.current),
    FEATURE.current,
    MAX_CURRENT,
  );
}

function nextEntries(): ReadonlyMap<string, number> {
  return entries(
    grammar().map((unit) => unit.next),
    FEATURE.next,
    MAX_NEXT,
  );
}

function entries(tokens: readonly string[], first: number, most: number): ReadonlyMap<string, number> {
  const unique = [...new Set(tokens)];
  if (unique.length > most) throw new Error(`${unique.length} tokens do not fit in ${most} entries`);
  return new Map(unique.map((token, index) => [token, first + index]));
}

function zeros(rows: number, columns: number): Matrix {
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => 0));
}

function matrix(graph: GraphBuilder, values: Matrix): Value {
  return graph.floats(values.flat(), [values.length, values[0]?.length ?? 0]);
}
