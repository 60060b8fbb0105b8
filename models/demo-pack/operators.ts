import type { GraphBuilder, Value } from '../../src/graphs/onnx/graph-builder.ts';

/** Shorthand for the operators that the demo graphs are made of; all have CUDA kernels for float32 at opset 17. */
export class Operators {
  readonly graph: GraphBuilder;

  constructor(graph: GraphBuilder) {
    this.graph = graph;
  }

  add(a: Value, b: Value | number): Value {
    return this.graph.node('Add', [a, this.#value(b)]);
  }

  sub(a: Value | number, b: Value | number): Value {
    return this.graph.node('Sub', [this.#value(a), this.#value(b)]);
  }

  mul(a: Value, b: Value | number): Value {
    return this.graph.node('Mul', [a, this.#value(b)]);
  }

  div(a: Value, b: Value | number): Value {
    return this.graph.node('Div', [a, this.#value(b)]);
  }

  square(a: Value): Value {
    return this.graph.node('Mul', [a, a]);
  }

  atLeast(a: Value, low: number): Value {
    return this.graph.node('Max', [a, this.#value(low)]);
  }

  clip(a: Value, low: number, high: number): Value {
    return this.graph.node('Clip', [a, this.graph.scalar(low), this.graph.scalar(high)]);
  }

  relu(a: Value): Value {
    return this.graph.node('Relu', [a]);
  }

  concat(values: readonly Value[], axis: number): Value {
    return this.graph.node('Concat', values, { axis });
  }

  reshape(a: Value, shape: readonly number[]): Value {
    return this.graph.node('Reshape', [a, this.graph.ints(shape)]);
  }

  /** Channels `from` (inclusive) to `to` (exclusive) of axis 1. */
  channels(a: Value, from: number, to: number): Value {
    return this.slice(a, 1, from, to);
  }

  slice(a: Value, axis: number, from: number, to: number): Value {
    const { graph } = this;
    return graph.node('Slice', [a, graph.ints([from]), graph.ints([to]), graph.ints([axis])]);
  }

  /** A 1x1 convolution: one row of `weights` and one bias per output channel. */
  pointwise(a: Value, weights: readonly (readonly number[])[], bias: readonly number[]): Value {
    const [rows, columns] = [weights.length, weights[0]?.length ?? 0];
    const kernel = this.graph.floats(weights.flat(), [rows, columns, 1, 1]);
    return this.graph.node('Conv', [a, kernel, this.graph.floats(bias, [rows])], { kernel_shape: [1, 1] });
  }

  /** Mean over `size` x `size` windows, next to each other. */
  averagePool(a: Value, size: number): Value {
    return this.graph.node('AveragePool', [a], { kernel_shape: [size, size], strides: [size, size] });
  }

  /** Mean over the `rows` x `columns` neighbourhood of every place; outside counts as 0. */
  blur(a: Value, rows: number, columns = rows): Value {
    const [padY, padX] = [(rows - 1) / 2, (columns - 1) / 2];
    return this.graph.node('AveragePool', [a], {
      kernel_shape: [rows, columns],
      strides: [1, 1],
      pads: [padY, padX, padY, padX],
      count_include_pad: 1,
    });
  }

  /** Largest value of the `size` x `size` neighbourhood of every place. */
  dilate(a: Value, size: number): Value {
    const pad = (size - 1) / 2;
    return this.graph.node('MaxPool', [a], { kernel_shape: [size, size], strides: [1, 1], pads: [pad, pad, pad, pad] });
  }

  sum(a: Value, axes: readonly number[], keepDims = false): Value {
    return this.graph.node('ReduceSum', [a, this.graph.ints(axes)], { keepdims: keepDims ? 1 : 0 });
  }

  #value(a: Value | number): Value {
    return typeof a === 'number' ? this.graph.scalar(a) : a;
  }
}
