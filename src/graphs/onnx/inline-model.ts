import { posix } from 'node:path';
import { Failure } from '../../failure/failure.ts';
import type { OnnxAttribute, OnnxDimension, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from './onnx-model.ts';

export interface InlineOptions {
  /** Folder of the model's external weights, relative to that of the new file; '' (default) where it is the same. */
  readonly dataFolder?: string;
  /** Prefix of the weights' names, which models embedded with the same one share; the model's own prefix by default. */
  readonly weightsPrefix?: string;
}

/** What a model becomes inside another graph. */
interface InlinedModel {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly valueInfo: NonNullable<OnnxGraph['valueInfo']>;
  /** Names inside the new graph by the model's own output names. */
  readonly outputs: Readonly<Record<string, string>>;
}

type Rename = (name: string) => string;

/**
 * A model's graph with every tensor and node named `prefix/name`, so that it can stand beside others, and with its inputs
 * replaced by tensors of the surrounding graph. Weights are shared with the model, not copied, and named `weightsPrefix/name`.
 * Throws PACK_BROKEN where an input is missing or unknown, and for parts that cannot be inlined.
 */
export function inlineModel(
  model: OnnxModel,
  prefix: string,
  inputs: Readonly<Record<string, string>>,
  options: InlineOptions = {},
): InlinedModel {
  const { graph } = model;
  if ((model.functions ?? []).length > 0) {
    throw new Failure('PACK_BROKEN', `${prefix}: the model defines functions of its own; export it with them inlined`);
  }
  checkInputs(graph, prefix, inputs);
  const given = new Map(Object.entries(inputs));
  const weights = new Set((graph.initializer ?? []).map(({ name }) => name));
  const weightsPrefix = options.weightsPrefix ?? prefix;
  const local: Rename = (name) => (name === '' ? '' : `${prefix}/${name}`);
  const inner: Rename = (name) => (weights.has(name) ? `${weightsPrefix}/${name}` : local(name));
  const rename: Rename = (name) => given.get(name) ?? inner(name);
  const part = renameGraph(graph, { prefix, local, inner, rename, dataFolder: options.dataFolder ?? '' });
  return {
    nodes: part.node ?? [],
    initializers: part.initializer ?? [],
    valueInfo: part.valueInfo ?? [],
    outputs: Object.fromEntries((graph.output ?? []).map(({ name }) => [name, rename(name)])),
  };
}

/** Every input must be given, but for those of old models that have a default among the weights. */
function checkInputs(graph: OnnxGraph, prefix: string, inputs: Readonly<Record<string, string>>): void {
  const weights = new Set((graph.initializer ?? []).map(({ name }) => name));
  const names = (graph.input ?? []).map(({ name }) => name);
  const needed = names.filter((name) => !weights.has(name));
  const missing = needed.filter((name) => inputs[name] === undefined);
  const unknown = Object.keys(inputs).filter((name) => !needed.includes(name));
  if (missing.length === 0 && unknown.length === 0) return;
  throw new Failure(
    'PACK_BROKEN',
    `${prefix}: the model's inputs are ${needed.join(', ')}, expected ${Object.keys(inputs).join(', ')}`,
  );
}

interface Scope {
  readonly prefix: string;
  /** The new name of what stands in one copy of the model alone: nodes, axes, and tensors of inner graphs. */
  readonly local: Rename;
  /** The new name of a tensor that is defined in this graph. */
  readonly inner: Rename;
  /** The new name of a tensor that is used, wherever it is defined. */
  readonly rename: Rename;
  readonly dataFolder: string;
}

function renameGraph(graph: OnnxGraph, scope: Scope): OnnxGraph {
  const { inner, rename } = scope;
  // Sparse weights have their name inside; nothing that exports the models here writes them.
  if (((graph as { readonly sparseInitializer?: unknown[] }).sparseInitializer ?? []).length > 0) {
    throw new Failure('PACK_BROKEN', `${scope.prefix}: the model has sparse weights; export it with dense ones`);
  }
  return {
    ...(graph.name === undefined ? {} : { name: graph.name }),
    node: (graph.node ?? []).map((node) => renameNode(node, scope)),
    initializer: (graph.initializer ?? []).map((tensor) => ({
      ...moved(tensor, scope.dataFolder),
      name: inner(tensor.name ?? ''),
    })),
    input: (graph.input ?? []).map((value) => ({ ...value, name: inner(value.name) })),
    output: (graph.output ?? []).map((value) => ({ ...value, name: rename(value.name) })),
    // An axis named `batch` here need not be the `batch` of the surrounding graph.
    valueInfo: (graph.valueInfo ?? []).map((value) => renameValueInfo(value, scope)),
  };
}

function renameNode(node: OnnxNode, scope: Scope): OnnxNode {
  return {
    ...node,
    ...(node.name === undefined ? {} : { name: scope.local(node.name) }),
    input: (node.input ?? []).map(scope.rename),
    output: (node.output ?? []).map(scope.inner),
    attribute: (node.attribute ?? []).map((attribute) => renameAttribute(attribute, scope)),
  };
}

function renameAttribute(attribute: OnnxAttribute, scope: Scope): OnnxAttribute {
  return {
    ...attribute,
    ...(attribute.t === undefined ? {} : { t: moved(attribute.t, scope.dataFolder) }),
    ...(attribute.g === undefined ? {} : { g: renameSubgraph(attribute.g, scope) }),
    ...(attribute.graphs === undefined
      ? {}
      : { graphs: attribute.graphs.map((graph) => renameSubgraph(graph, scope)) }),
  };
}

/** A subgraph sees the tensors around it; its own come first where both have a name. */
function renameSubgraph(graph: OnnxGraph, outer: Scope): OnnxGraph {
  const own = new Set<string>();
  for (const { name } of graph.input ?? []) own.add(name);
  for (const { name } of graph.initializer ?? []) own.add(name ?? '');
  for (const node of graph.node ?? []) for (const name of node.output ?? []) own.add(name);
  const { local } = outer;
  return renameGraph(graph, {
    ...outer,
    inner: local,
    rename: (name) => (own.has(name) ? local(name) : outer.rename(name)),
  });
}

function renameValueInfo(
  value: NonNullable<OnnxGraph['valueInfo']>[number],
  scope: Scope,
): NonNullable<OnnxGraph['valueInfo']>[number] {
  const name = scope.rename(value.name);
  const tensorType = value.type?.tensorType;
  if (tensorType?.shape?.dim === undefined) return { ...value, name };
  const dim = tensorType.shape.dim.map((size): OnnxDimension =>
    size.dimParam === undefined || size.dimParam === '' ? size : { ...size, dimParam: scope.local(size.dimParam) },
  );
  return { ...value, name, type: { ...value.type, tensorType: { ...tensorType, shape: { dim } } } };
}

/** The same values; those of an external file are looked for from the new file's folder. */
function moved(tensor: OnnxTensor, folder: string): OnnxTensor {
  if (tensor.externalData === undefined || folder === '') return tensor;
  const externalData = tensor.externalData.map((entry) =>
    entry.key === 'location' ? { ...entry, value: posix.join(folder, entry.value) } : entry,
  );
  return { ...tensor, externalData };
}
