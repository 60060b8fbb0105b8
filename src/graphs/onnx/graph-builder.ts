import { Failure } from '../../failure/failure.ts';
import { inlineModel, type InlineOptions } from './inline-model.ts';
import { ELEMENT_TYPES, encodeOnnx, importedOpset, toNumber } from './onnx-model.ts';
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxOpsetImport, OnnxTensor } from './onnx-model.ts';

/** The name of a tensor inside the graph. */
export type Value = string;
export type ElementType = 'float32' | 'float64' | 'float16' | 'uint8' | 'int32' | 'int64' | 'bool';
type Attribute = number | readonly number[] | string | { readonly float: number } | OnnxTensor;

export interface TensorDeclaration {
  readonly name: string;
  readonly dtype: ElementType;
  /** A number is a fixed size, a string the name of a dynamic axis. */
  readonly shape: readonly (number | string)[];
}

/** Operator set of a graph that embeds no other model. */
export const OPSET = 17;
/** The oldest IR version that has everything used here; an embedded model may raise it. */
const IR_VERSION = 8;
/** The oldest operator set with axes as inputs (Squeeze, Unsqueeze, ReduceSum), which the composed graphs are written for. */
const OLDEST_OPSET = 13;
/** A protobuf message, and so an ONNX file, ends below 2 GB. */
const MOST_BYTES = 2 ** 31 - 1;

/** Number of an element type in the ONNX schema, for `Cast`. */
const ELEMENT: Readonly<Record<ElementType, number>> = {
  float32: ELEMENT_TYPES.indexOf('float'),
  float64: ELEMENT_TYPES.indexOf('double'),
  float16: ELEMENT_TYPES.indexOf('float16'),
  uint8: ELEMENT_TYPES.indexOf('uint8'),
  int32: ELEMENT_TYPES.indexOf('int32'),
  int64: ELEMENT_TYPES.indexOf('int64'),
  bool: ELEMENT_TYPES.indexOf('bool'),
};
/** `AttributeProto.AttributeType`. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, tensor: 4, ints: 7 } as const;

/**
 * Collects the nodes of one ONNX graph, its own and those of embedded models, and writes the model file; the same calls give
 * the same bytes. Its own tensors are named `operator_number` and `constant_number`, embedded ones `prefix/name`.
 */
export class GraphBuilder {
  readonly name: string;
  readonly opset: number;
  readonly inputs: TensorDeclaration[] = [];
  readonly outputs: TensorDeclaration[] = [];
  readonly #producer: string;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #valueInfo: NonNullable<OnnxGraph['valueInfo']> = [];
  /** Operator sets beside the default one, by domain. */
  readonly #domains = new Map<string, number>();
  readonly #prefixes = new Set<string>();
  /** Whose weights stand under a prefix. */
  readonly #weights = new Map<string, OnnxModel>();
  readonly #known = new Map<string, Value>();
  #irVersion = IR_VERSION;
  #next = 0;

  constructor(name: string, options: { readonly opset?: number; readonly producer?: string } = {}) {
    this.name = name;
    this.opset = options.opset ?? OPSET;
    this.#producer = options.producer ?? 'gpu-video-worker';
    if (this.opset < OLDEST_OPSET) {
      throw new Failure('PACK_BROKEN', `${name}: opset ${this.opset} is too old, expected ${OLDEST_OPSET} or newer`);
    }
  }

  input(name: string, dtype: ElementType, shape: readonly (number | string)[]): Value {
    this.inputs.push({ name, dtype, shape });
    return name;
  }

  /** Gives an inner tensor its public name. */
  output(value: Value, name: string, dtype: ElementType, shape: readonly (number | string)[]): void {
    this.outputs.push({ name, dtype, shape });
    this.#addNode('Identity', [value], [name], {});
  }

  /** A float32 constant; equal constants are stored once. */
  floats(data: readonly number[] | Float32Array, dims: readonly number[]): Value {
    return this.constant('float32', data, dims);
  }

  scalar(value: number): Value {
    return this.floats([value], []);
  }

  /** An int64 vector. */
  ints(data: readonly number[]): Value {
    return this.constant('int64', data, [data.length]);
  }

  intScalar(value: number): Value {
    return this.constant('int64', [value], []);
  }

  /** A constant of any type in row-major order; equal constants are stored once. */
  constant(dtype: ElementType, data: ArrayLike<number>, dims: readonly number[]): Value {
    const expected = dims.reduce((product, dim) => product * dim, 1);
    if (expected !== data.length) {
      throw new Error(`constant of shape [${dims.join()}] needs ${expected} values, got ${data.length}`);
    }
    const rawData = elementBytes(dtype, data);
    const key = `${dtype}:${dims.join()}:${Buffer.from(rawData).toString('base64')}`;
    const existing = this.#known.get(key);
    if (existing !== undefined) return existing;
    const name = `constant_${this.#known.size}`;
    this.#known.set(key, name);
    this.#initializers.push({ name, dims: [...dims], dataType: ELEMENT[dtype], rawData });
    return name;
  }

  /** Adds a node with one output. */
  node(op: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    const output = `${op.toLowerCase()}_${this.#next++}`;
    this.#addNode(op, inputs, [output], attributes);
    return output;
  }

  /** Adds a node with several outputs, such as TopK or Split. */
  nodes(
    op: string,
    inputs: readonly Value[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): readonly Value[] {
    const base = `${op.toLowerCase()}_${this.#next++}`;
    const outputs = Array.from({ length: count }, (_, index) => `${base}_${index}`);
    this.#addNode(op, inputs, outputs, attributes);
    return outputs;
  }

  /** A tensor of the shape that an int64 vector tells, with one value everywhere. */
  filled(shape: Value, dtype: ElementType, value: number): Value {
    const tensor = { dims: [1], dataType: ELEMENT[dtype], rawData: elementBytes(dtype, [value]) };
    return this.node('ConstantOfShape', [shape], { value: tensor });
  }

  cast(value: Value, dtype: ElementType): Value {
    return this.node('Cast', [value], { to: ELEMENT[dtype] });
  }

  /**
   * Puts another model's nodes and weights into this graph, with its tensors renamed to `prefix/name`, and returns its
   * outputs by their own names. `inputs` gives a tensor of this graph for every input of the model; element types and shapes
   * are the caller's business. A model that is embedded again with the same `weightsPrefix` shares its weights. Throws
   * PACK_BROKEN where the two do not fit together: both must have the same operator sets, since the same node may mean
   * something else in another one.
   */
  embed(
    model: OnnxModel,
    prefix: string,
    inputs: Readonly<Record<string, Value>>,
    options: InlineOptions = {},
  ): Readonly<Record<string, Value>> {
    if (this.#prefixes.has(prefix)) throw new Error(`two models are embedded as ${prefix}`);
    this.#prefixes.add(prefix);
    this.#mergeOpsets(model, prefix);
    const part = inlineModel(model, prefix, inputs, options);
    for (const node of part.nodes) this.#nodes.push(node);
    if (this.#addsWeights(model, options.weightsPrefix ?? prefix)) this.#initializers.push(...part.initializers);
    for (const value of part.valueInfo) this.#valueInfo.push(value);
    this.#irVersion = Math.max(this.#irVersion, toNumber(model.irVersion ?? 0));
    return part.outputs;
  }

  toModel(metadata: Readonly<Record<string, string>> = {}): OnnxModel {
    const opsetImport: OnnxOpsetImport[] = [{ domain: '', version: this.opset }];
    for (const [domain, version] of this.#domains) opsetImport.push({ domain, version });
    return {
      irVersion: this.#irVersion,
      producerName: this.#producer,
      graph: {
        name: this.name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.inputs.map(valueInfo),
        output: this.outputs.map(valueInfo),
        valueInfo: this.#valueInfo,
      },
      opsetImport,
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    };
  }

  /** Throws PACK_BROKEN where the weights inside the file make it larger than an ONNX file can be. */
  toBytes(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    const inside = this.#initializers.reduce((sum, tensor) => sum + (tensor.rawData?.length ?? 0), 0);
    if (inside > MOST_BYTES) {
      throw new Failure(
        'PACK_BROKEN',
        `${this.name}: ${inside} bytes of weights do not fit into one ONNX file; export the model with external data`,
      );
    }
    return encodeOnnx(this.toModel(metadata));
  }

  /** False where an earlier copy of the model brought them. */
  #addsWeights(model: OnnxModel, prefix: string): boolean {
    const owner = this.#weights.get(prefix);
    if (owner !== undefined && owner !== model) throw new Error(`two models name their weights ${prefix}`);
    this.#weights.set(prefix, model);
    return owner === undefined;
  }

  #mergeOpsets(model: OnnxModel, prefix: string): void {
    const refuse = (what: string, found: number | null, expected: number): never => {
      throw new Failure(
        'PACK_BROKEN',
        `${prefix}: ${what} ${found ?? 'missing'}, expected ${expected} as in ${this.name}`,
      );
    };
    const own = importedOpset(model, '');
    if (own !== this.opset) refuse('opset', own, this.opset);
    for (const { domain = '', version } of model.opsetImport ?? []) {
      if (domain === '' || domain === 'ai.onnx') continue;
      const found = toNumber(version);
      const known = this.#domains.get(domain);
      if (known !== undefined && known !== found) refuse(`opset of ${domain}`, found, known);
      this.#domains.set(domain, found);
    }
  }

  #addNode(
    opType: string,
    inputs: readonly Value[],
    outputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void {
    this.#nodes.push({
      input: [...inputs],
      output: [...outputs],
      name: `${opType}:${outputs[0] ?? ''}`,
      opType,
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
  }
}

function attribute(name: string, value: Attribute): OnnxAttribute {
  if (typeof value === 'number') return { name, i: value, type: ATTRIBUTE.int };
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: ATTRIBUTE.string };
  if (isNumbers(value)) return { name, ints: [...value], type: ATTRIBUTE.ints };
  if ('float' in value) return { name, f: value.float, type: ATTRIBUTE.float };
  return { name, t: value, type: ATTRIBUTE.tensor };
}

function isNumbers(value: object): value is readonly number[] {
  return Array.isArray(value);
}

function valueInfo(tensor: TensorDeclaration): NonNullable<OnnxGraph['valueInfo']>[number] {
  const dim = tensor.shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name: tensor.name, type: { tensorType: { elemType: ELEMENT[tensor.dtype], shape: { dim } } } };
}

type FloatArray16 = new (values: ArrayLike<number>) => { readonly buffer: ArrayBuffer };

function elementBytes(dtype: ElementType, data: ArrayLike<number>): Uint8Array {
  switch (dtype) {
    case 'float32':
      return new Uint8Array(Float32Array.from(data).buffer);
    case 'float64':
      return new Uint8Array(Float64Array.from(data).buffer);
    case 'float16':
      // Node 24 has it; TypeScript's es2024 library does not know it yet.
      return new Uint8Array(new (globalThis as unknown as { Float16Array: FloatArray16 }).Float16Array(data).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(data).buffer);
    case 'int64':
      return new Uint8Array(BigInt64Array.from(data, BigInt).buffer);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(data);
  }
}
