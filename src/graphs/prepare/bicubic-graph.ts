import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import { BICUBIC_TAPS } from './prepared-inputs.ts';

/** Weights are fractions of 2^22, as in `resizeBicubic`. */
const ONE = 2 ** 22;

export interface BicubicInputs {
  /** uint8 [height, width, 3]: the pictures side by side. */
  readonly canvas: Value;
  /** int32 [taps, rows, size]: columns of the canvas, and their weights. */
  readonly columns: Value;
  readonly columnWeights: Value;
  /** int32 [taps, rows, size]: lines of the pictures laid below each other, each as tall as the canvas, and their weights. */
  readonly lines: Value;
  readonly lineWeights: Value;
  readonly size: number;
}

/**
 * Pillow's bicubic resize of pictures of any sizes to squares, to the last bit: the same integers as `resizeBicubic`, horizontal
 * pass first, each pass rounded and clipped. int32 [rows, size, size, 3], 0..255.
 *
 * The taps are added one by one: CUDA's ReduceSum of integers works in single precision, which does not hold these sums.
 * Only a negative sum is divided otherwise than shifted, and it is clipped to 0 either way.
 */
export function bicubicGraph(graph: GraphBuilder, inputs: BicubicInputs): Value {
  const { size } = inputs;
  const { canvas, columns, columnWeights, lines, lineWeights } = inputs;
  // [height, rows, size, 3]
  const widened = weightedSum(graph, { source: canvas, axis: 1, places: columns, weights: columnWeights, size });
  const stacked = graph.node('Transpose', [graph.cast(widened, 'uint8')], { perm: [1, 0, 2, 3] });
  const below = graph.node('Reshape', [stacked, graph.ints([-1, size * 3])]);
  // [rows, size, size * 3]
  const resized = weightedSum(graph, { source: below, axis: 0, places: lines, weights: lineWeights, size });
  return graph.node('Reshape', [resized, graph.ints([-1, size, size, 3])]);
}

interface Pass {
  readonly source: Value;
  readonly axis: number;
  readonly places: Value;
  readonly weights: Value;
  readonly size: number;
}

function weightedSum(graph: GraphBuilder, pass: Pass): Value {
  const { source, axis, places, weights, size } = pass;
  const int = (value: number): Value => graph.constant('int32', [value], []);
  let sum = int(ONE / 2);
  for (let tap = 0; tap < BICUBIC_TAPS; tap++) {
    const at = graph.node('Gather', [places, graph.intScalar(tap)], { axis: 0 });
    const weight = graph.node('Gather', [weights, graph.intScalar(tap)], { axis: 0 });
    const levels = graph.cast(graph.node('Gather', [source, at], { axis }), 'int32');
    const shaped = graph.node('Reshape', [weight, graph.ints([-1, size, 1])]);
    sum = graph.node('Add', [graph.node('Mul', [levels, shaped]), sum]);
  }
  const rounded = graph.node('Div', [sum, int(ONE)]);
  return graph.node('Min', [graph.node('Max', [rounded, int(0)]), int(255)]);
}
