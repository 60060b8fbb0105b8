import { MessageWriter } from './protobuf.ts';

/** The name of a tensor inside the graph. */
export type Value = string;
export type ElementType = 'float32' | 'int64';
export type Attribute = number | readonly number[] | string | { readonly float: number };

export interface TensorDeclaration {
  readonly name: string;
  readonly dtype: ElementType;
  /** A number is a fixed size, a string the name of a dynamic axis. */
  readonly shape: readonly (number | string)[];
}

// Numbers of the ONNX schema (onnx.proto3, IR version 8).
const IR_VERSION = 8;
export const OPSET = 17;
const ELEMENT = { float32: 1, int64: 7 } as const;
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Collects the nodes of one ONNX graph and writes the model file; the same calls give the same bytes. */
export class GraphBuilder {
  readonly #name: string;
  readonly #graph = new MessageWriter();
  readonly #initializers = new MessageWriter();
  readonly #known = new Map<string, Value>();
  readonly inputs: TensorDeclaration[] = [];
  readonly outputs: TensorDeclaration[] = [];
  #next = 0;

  constructor(name: string) {
    this.#name = name;
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
    const values = Float32Array.from(data);
    return this.#constant('float32', new Uint8Array(values.buffer), values.length, dims);
  }

  scalar(value: number): Value {
    return this.floats([value], []);
  }

  ints(data: readonly number[]): Value {
    const values = BigInt64Array.from(data, (item) => BigInt(item));
    return this.#constant('int64', new Uint8Array(values.buffer), values.length, [data.length]);
  }

  intScalar(value: number): Value {
    return this.#constant('int64', new Uint8Array(BigInt64Array.of(BigInt(value)).buffer), 1, []);
  }

  /** Adds a node with one output. */
  node(op: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    const output = `${op.toLowerCase()}_${this.#next++}`;
    this.#addNode(op, inputs, [output], attributes);
    return output;
  }

  toBytes(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    const graph = new MessageWriter();
    const model = new MessageWriter().int(1, IR_VERSION).text(2, 'gpu-video-worker demo pack');
    graph.text(2, this.#name);
    for (const tensor of this.inputs) graph.message(11, valueInfo(tensor));
    for (const tensor of this.outputs) graph.message(12, valueInfo(tensor));
    // A message is the concatenation of its fields, so the collected parts can be appended as they are.
    const body = concatenate([this.#graph.finish(), this.#initializers.finish(), graph.finish()]);
    model.bytes(7, body).message(8, new MessageWriter().text(1, '').int(2, OPSET));
    for (const [key, value] of Object.entries(metadata)) {
      model.message(14, new MessageWriter().text(1, key).text(2, value));
    }
    return model.finish();
  }

  #addNode(
    op: string,
    inputs: readonly Value[],
    outputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void {
    const node = new MessageWriter();
    for (const input of inputs) node.text(1, input);
    for (const output of outputs) node.text(2, output);
    node.text(3, `${op}:${outputs[0] ?? ''}`).text(4, op);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#graph.message(1, node);
  }

  #constant(dtype: ElementType, bytes: Uint8Array, count: number, dims: readonly number[]): Value {
    const expected = dims.reduce((product, dim) => product * dim, 1);
    if (expected !== count) {
      throw new Error(`constant of shape [${dims.join()}] needs ${expected} values, got ${count}`);
    }
    const key = `${dtype}:${dims.join()}:${Buffer.from(bytes).toString('base64')}`;
    const existing = this.#known.get(key);
    if (existing !== undefined) return existing;
    const name = `constant_${this.#known.size}`;
    this.#known.set(key, name);
    const tensor = new MessageWriter();
    for (const dim of dims) tensor.int(1, dim);
    this.#initializers.message(5, tensor.int(2, ELEMENT[dtype]).text(8, name).bytes(9, bytes));
    return name;
  }
}

function attribute(name: string, value: Attribute): MessageWriter {
  const writer = new MessageWriter().text(1, name);
  if (typeof value === 'number') return writer.int(3, value).int(20, ATTRIBUTE.int);
  if (typeof value === 'string') return writer.text(4, value).int(20, ATTRIBUTE.string);
  if ('float' in value) return writer.float(2, value.float).int(20, ATTRIBUTE.float);
  for (const item of value) writer.int(8, item);
  return writer.int(20, ATTRIBUTE.ints);
}

function valueInfo(tensor: TensorDeclaration): MessageWriter {
  const shape = new MessageWriter();
  for (const dim of tensor.shape) {
    const writer = new MessageWriter();
    shape.message(1, typeof dim === 'number' ? writer.int(1, dim) : writer.text(2, dim));
  }
  const tensorType = new MessageWriter().int(1, ELEMENT[tensor.dtype]).message(2, shape);
  return new MessageWriter().text(1, tensor.name).message(2, new MessageWriter().message(1, tensorType));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
