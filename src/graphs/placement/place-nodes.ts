import { importedOpset, toNumber } from '../onnx/onnx-model.ts';
import type { OnnxGraph, OnnxModel, OnnxNode } from '../onnx/onnx-model.ts';
import { findCudaKernel } from './cuda-kernels.ts';
import type { KernelAnswer } from './cuda-kernels.ts';
import { bindTypes, declaredTypes, outputTypes } from './element-types.ts';
import type { TypesByName } from './element-types.ts';
import { expandedKernel } from './function-bodies.ts';
import { CPU_INPUTS, CPU_OUTPUTS, HALF_TYPES } from './host-memory.ts';
import { operatorName, operatorSchema } from './operator-schemas.ts';

/**
 * `cuda`: a kernel of the CUDA provider serves the node. `shape`: it only computes with shapes and small constants, which
 * ONNX Runtime does on the CPU on purpose. `folded`: it depends on constants only and is gone before nodes are placed.
 * `cpu`: it runs on the CPU, with copies from and to the GPU. `unknown`: nobody can tell without running it.
 */
export type Place = 'cuda' | 'shape' | 'folded' | 'cpu' | 'unknown';

export interface NodePlacement {
  /** Its name, or its first output where it has none; nodes of inner graphs with the outer node's name before a slash. */
  readonly node: string;
  readonly op: string;
  readonly place: Place;
  /** Empty for `cuda`. */
  readonly reason: string;
}

/** Larger constants are not worth a copy to the CPU (fallback_cpu_capability.cc). */
const SMALL_CONSTANT = 100;
/** Their results can be large although their inputs are small. */
const GROWING = ['ConstantOfShape', 'Expand', 'Tile', 'Range', 'Resize', 'Pad', 'EyeLike', 'OneHot'];

/** What the placement of a graph knows of the graphs around it. */
interface Scope {
  readonly types: TypesByName;
  /** Constants by name, with whether they are small. */
  readonly constants: Map<string, boolean>;
  readonly path: string;
}

/**
 * Says for each node of a model where ONNX Runtime would run it with the CUDA provider, from the table of kernels alone: no
 * GPU is needed. Fusions of nodes are not foreseen (the fused operators have kernels too), and limits that a kernel puts on
 * attributes or on the number of axes are not in the table.
 */
export function placeNodes(model: OnnxModel): readonly NodePlacement[] {
  return placeGraph(model, model.graph, { types: new Map(), constants: new Map(), path: '' });
}

interface Walk {
  readonly model: OnnxModel;
  readonly types: TypesByName;
  readonly constants: Map<string, boolean>;
  readonly inputs: ReadonlySet<string>;
  /** Tensors in the CPU's memory, with the node without a kernel that brought them there, null for shapes. */
  readonly onCpu: Map<string, string | null>;
}

function placeGraph(model: OnnxModel, graph: OnnxGraph, outer: Scope): readonly NodePlacement[] {
  const types: TypesByName = new Map([...outer.types, ...declaredTypes(graph)]);
  const inputs = new Set((graph.input ?? []).map(({ name }) => name));
  const constants = new Map(outer.constants);
  for (const { name, dims } of graph.initializer ?? []) {
    if (name === undefined || inputs.has(name)) continue;
    const size = (dims ?? []).reduce<number>((product, n) => product * toNumber(n), 1);
    constants.set(name, size <= SMALL_CONSTANT);
  }
  const walk: Walk = { model, types, constants, inputs, onCpu: new Map() };
  const placed: NodePlacement[] = [];
  for (const node of graph.node ?? []) {
    const name = `${outer.path}${label(node)}`;
    const bodies = (node.attribute ?? []).flatMap(({ g }) => (g === undefined ? [] : [g]));
    for (const body of bodies) placed.push(...placeGraph(model, body, { types, constants, path: `${name}/` }));
    placed.push({ node: name, op: operatorName(node.domain, node.opType), ...placeNode(walk, node, bodies) });
  }
  return placed;
}

function label(node: OnnxNode): string {
  return node.name === undefined || node.name === '' ? (node.output?.[0] ?? '') : node.name;
}

type Verdict = Pick<NodePlacement, 'place' | 'reason'>;

function placeNode(walk: Walk, node: OnnxNode, bodies: readonly OnnxGraph[]): Verdict {
  const { types, constants } = walk;
  const inputs = (node.input ?? []).filter((name) => name !== '');
  const outputs = (node.output ?? []).filter((name) => name !== '');
  const kernel = lookUp(walk, node, bodies);
  if (bodies.length === 0 && isConstant(node, inputs, constants)) {
    const small = !GROWING.includes(node.opType) && inputs.every((name) => constants.get(name) === true);
    for (const name of outputs) constants.set(name, small);
    return { place: 'folded', reason: 'depends on constants only' };
  }
  const verdict = judge(walk, node, kernel);
  const reads = inputs.filter((name) => walk.onCpu.has(name));
  if (verdict.place === 'cuda') {
    for (const index of CPU_OUTPUTS[node.opType] ?? []) {
      const name = node.output?.[index];
      if (name !== undefined && name !== '') walk.onCpu.set(name, null);
    }
  } else if (reads.length > 0) {
    // Only a node that reads from the CPU takes its followers along; behind any other the data are copied back.
    const cause = verdict.place === 'shape' ? null : label(node);
    const origin = reads.map((name) => walk.onCpu.get(name)).find((found) => typeof found === 'string');
    for (const name of outputs) walk.onCpu.set(name, origin ?? cause);
  }
  for (const name of outputs) if (!types.has(name)) types.set(name, null);
  return verdict;
}

/** Finds the kernel and, on the way, notes the types of the node's outputs. */
function lookUp(walk: Walk, node: OnnxNode, bodies: readonly OnnxGraph[]): KernelAnswer {
  const name = operatorName(node.domain, node.opType);
  const opset = importedOpset(walk.model, node.domain ?? '') ?? 1;
  const schema = operatorSchema(name, opset);
  if (schema === null) {
    return (walk.model.functions ?? []).length > 0
      ? { found: 'unknown', reason: 'a function of the model itself is not looked into' }
      : { found: 'no', reason: 'the CUDA provider has no such operator' };
  }
  const found = bodies.length > 0 ? bodyTypes(node, bodies) : outputTypes(node, schema, walk.types);
  (node.output ?? []).forEach((output, index) => {
    if (output !== '' && (walk.types.get(output) ?? null) === null) walk.types.set(output, found[index] ?? null);
  });
  const bindings = bindTypes(node, schema, walk.types);
  const answer = findCudaKernel(name, schema.since, bindings);
  return answer.found === 'no' ? (expandedKernel(name, opset, bindings) ?? answer) : answer;
}

/** Types that the inner graphs declare for their results. A loop's first result is its condition, which it keeps. */
function bodyTypes(node: OnnxNode, bodies: readonly OnnxGraph[]): readonly (string | null)[] {
  const [body] = bodies;
  if (body === undefined) return [];
  const declared = declaredTypes(body);
  const results = (body.output ?? []).map(({ name }) => declared.get(name) ?? null);
  return node.opType === 'Loop' ? results.slice(1) : results;
}

function isConstant(node: OnnxNode, inputs: readonly string[], constants: ReadonlyMap<string, boolean>): boolean {
  if (node.opType === 'Constant') return true;
  if (/^(Random|Multinomial|Bernoulli)/.test(node.opType)) return false;
  return inputs.length > 0 && inputs.every((name) => constants.has(name));
}

/**
 * The rule of ONNX Runtime's fallback_cpu_capability.cc: a node that reads a tensor in the CPU's memory goes to the CPU where
 * all its inputs are there, small constants or inputs of the graph, unless its kernel wants that tensor on the CPU anyway or
 * the numbers are half precision.
 */
function judge(walk: Walk, node: OnnxNode, kernel: KernelAnswer): Verdict {
  const { onCpu, constants, inputs: graphInputs, types } = walk;
  const inputs = (node.input ?? []).flatMap((name, index) => (name === '' ? [] : [{ name, index }]));
  const reads = inputs.filter(({ name }) => onCpu.has(name));
  const hostOnly =
    reads.length > 0 &&
    inputs.every(
      ({ name }) =>
        !HALF_TYPES.includes(types.get(name) ?? '') &&
        (onCpu.has(name) || constants.get(name) === true || graphInputs.has(name)),
    );
  const origin = reads.map(({ name }) => onCpu.get(name)).find((found) => typeof found === 'string');
  if (kernel.found !== 'yes') {
    const place = kernel.found === 'no' ? 'cpu' : 'unknown';
    if (hostOnly && origin === undefined) return { place: 'shape', reason: 'computes with shapes only' };
    return { place, reason: kernel.reason };
  }
  const wanted = CPU_INPUTS[node.opType] ?? [];
  if (!hostOnly || reads.some(({ index }) => wanted.includes(index))) return { place: 'cuda', reason: '' };
  if (origin !== undefined) return { place: 'cpu', reason: `follows ${origin}, which runs on the CPU` };
  return { place: 'shape', reason: 'computes with shapes only' };
}
