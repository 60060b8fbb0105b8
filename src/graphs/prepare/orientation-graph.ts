import type { InlineOptions } from '../onnx/inline-model.ts';
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import type { Normalisation } from '../../vision/levels.ts';
import { addCrops, AFFINE_ROUNDING, RESIZE_ROUNDING } from './crop-graph.ts';
import { embedHead, headTensors } from './head-model.ts';
import type { ModelSignature } from './model-signature.ts';

/** What the graph needs to know of an orientation model. */
interface OrientationHead extends Normalisation {
  readonly model: ModelSignature;
  readonly crop: 'affine' | 'resize';
  readonly bins: number;
}

/** The operator set from which ReduceMax and ReduceMin take their axes as an input. */
const AXES_AS_INPUT = 18;

/**
 * Adapter `mebow` with its crop inside one graph, at the model's own opset. In: the tensors of `CROP_INPUT` without blanks,
 * one crop per row of the batch, resampled by the manifest's rule. Out: `readings` float32 [batch, 2]: the most probable
 * bin, the first of equal ones, and its probability, which is NaN where the model gave a number that is none.
 */
export function orientationGraph(model: OnnxModel, spec: OrientationHead, options: InlineOptions = {}): GraphBuilder {
  const tensors = headTensors(model, spec.model, { channels: 3, values: spec.bins });
  const graph = new GraphBuilder('prepared_orientation', { opset: tensors.opset });
  const picture = addCrops(graph, {
    width: tensors.width,
    height: tensors.height,
    parts: 1,
    rounding: spec.crop === 'affine' ? AFFINE_ROUNDING : RESIZE_ROUNDING,
    blanks: false,
    mean: spec.mean,
    std: spec.std,
    dtype: tensors.input.dtype,
  });
  const bins = embedHead(graph, picture, { model, tensors, options });
  graph.output(strongestBin(graph, bins, spec.bins), 'readings', 'float32', ['batch', 2]);
  return graph;
}

/**
 * float32 [batch, 2]: the first of the greatest of `count` values, and that value, or NaN where any is NaN or infinite. ArgMax
 * is avoided: which of equal values it takes is not the same on every device.
 */
export function strongestBin(graph: GraphBuilder, bins: Value, count: number): Value {
  const best = reduce(graph, 'ReduceMax', bins);
  const places = graph.floats(
    Array.from({ length: count }, (_, bin) => bin),
    [1, count],
  );
  const candidates = graph.node('Where', [graph.node('Equal', [bins, best]), places, graph.scalar(count)]);
  // A maximum may pass over NaN, a sum does not: 0, or NaN where any value is NaN or infinite.
  const zeros = graph.node('ReduceSum', [graph.node('Mul', [bins, graph.scalar(0)]), graph.ints([1])], { keepdims: 1 });
  const score = graph.node('Add', [best, zeros]);
  return graph.node('Concat', [reduce(graph, 'ReduceMin', candidates), score], { axis: 1 });
}

/** Over axis 1, which stays with size 1. */
function reduce(graph: GraphBuilder, op: 'ReduceMax' | 'ReduceMin', value: Value): Value {
  return graph.opset < AXES_AS_INPUT
    ? graph.node(op, [value], { axes: [1], keepdims: 1 })
    : graph.node(op, [value, graph.ints([1])], { keepdims: 1 });
}
