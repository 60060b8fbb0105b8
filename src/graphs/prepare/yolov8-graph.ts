import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import { addFrames } from './frame-graph.ts';
import type { ModelSignature } from './model-signature.ts';
import { pictureInput, shapeText, unprepared } from './picture-input.ts';

/** What the graph needs to know of a detector. */
interface AnchorDetector {
  readonly model: ModelSignature;
  readonly classes: readonly string[];
}

/**
 * The official detector with everything around it inside one graph, at the model's own opset.
 *
 * In: `frames` uint8 [batch, height, width, 3] of one size; `rows` and `columns` int32, the letterbox's taps for that size
 * (`TAP_ROWS`); `to_source` float64 [3, 4], the pads, the gain and the frame's limits of x1, y1, x2, y2; and the settings,
 * which stay the manifest's: `confidence`, `iou` float32 and `max_detections` int64, one value each.
 *
 * Out, one row per box that is kept: `boxes` float64 [found, 4] in source pixels, clipped; `scores` float32 [found];
 * `places` int64 [found, 3], its frame in the batch, its class and its anchor. They come by frame, class and descending score,
 * at most `max_detections` per class. `finite` float32 [batch] is 0, or NaN where the model gave a number that is none.
 *
 * Boxes are computed in double precision from the model's single-precision numbers, as the plain path does it.
 */
export function yolov8Graph(model: OnnxModel, spec: AnchorDetector, options: InlineOptions = {}): GraphBuilder {
  const [output, values] = [spec.model.outputs[0], 4 + spec.classes.length];
  const picture = pictureInput(model, spec.model, { channels: 3, outputs: spec.model.outputs.slice(0, 1) });
  if (output === undefined || output.shape.length !== 3 || output.shape[1] !== values) {
    const expected = `${output?.name ?? 'an output'} [batch, ${values}, anchors] for ${spec.classes.length} classes`;
    throw unprepared(spec.model, expected, output === undefined ? 'none' : shapeText(output));
  }
  const graph = new GraphBuilder('prepared_detection', { opset: picture.opset });
  const levels = addFrames(graph, picture);
  const toSource = graph.input('to_source', 'float64', [3, 4]);
  const confidence = graph.input('confidence', 'float32', [1]);
  const iou = graph.input('iou', 'float32', [1]);
  const maxDetections = graph.input('max_detections', 'int64', [1]);

  const planes = graph.node('Transpose', [graph.cast(levels, 'float32')], { perm: [0, 3, 1, 2] });
  // A division: the product with 1/255 differs in the last bit.
  const scaled = graph.node('Div', [planes, graph.scalar(255)]);
  const images = picture.input.dtype === 'float16' ? graph.cast(scaled, 'float16') : scaled;
  const found = graph.embed(model, 'detector', { [picture.input.name]: images }, options)[output.name];
  if (found === undefined) {
    const names = (model.graph.output ?? []).map(({ name }) => name).join(', ');
    throw unprepared(spec.model, `an output ${output.name}`, `only ${names}`);
  }
  const raw = output.dtype === 'float16' ? graph.cast(found, 'float32') : found;

  const zeros = graph.node('Mul', [raw, graph.scalar(0)]);
  const finite = graph.node('ReduceSum', [zeros, graph.ints([1, 2])], { keepdims: 0 });
  const places = suppress(graph, raw, spec.classes.length, { confidence, iou, maxDetections });
  const at = graph.node('Gather', [places, graph.ints([0, 2])], { axis: 1 });
  const kept = graph.node('GatherND', [graph.node('Transpose', [raw], { perm: [0, 2, 1] }), at]);
  graph.output(sourceBoxes(graph, kept, toSource), 'boxes', 'float64', ['found', 4]);
  graph.output(scoresOf(graph, kept, spec.classes.length), 'scores', 'float32', ['found']);
  graph.output(places, 'places', 'int64', ['found', 3]);
  graph.output(finite, 'finite', 'float32', ['batch']);
  return graph;
}

interface Limits {
  readonly confidence: Value;
  readonly iou: Value;
  readonly maxDetections: Value;
}

/**
 * int64 [found, 3]: batch, class and anchor of what non-maximum suppression keeps. An anchor takes part in its best class
 * only, the first of equal ones; elsewhere its score is -1, which is above no threshold. ArgMax is avoided: which of equal values it
 * takes is not the same on every device. The CUDA kernel of NonMaxSuppression sorts, counts and waits once per frame and
 * class: a cost of launches, not of arithmetic, that grows with the batch.
 */
function suppress(graph: GraphBuilder, raw: Value, classes: number, limits: Limits): Value {
  const boxes = graph.node('Transpose', [columnsOf(graph, raw, 1, 0, 4)], { perm: [0, 2, 1] });
  const scores = Array.from({ length: classes }, (_, i) => columnsOf(graph, raw, 1, 4 + i, 5 + i));
  const best = scores.map((score, i) => {
    const checks = scores.flatMap((other, j) => {
      if (j === i) return [];
      return [graph.node(j < i ? 'Greater' : 'GreaterOrEqual', [score, other])];
    });
    if (checks.length === 0) return score;
    const wins = checks.reduce((all, check) => graph.node('And', [all, check]));
    return graph.node('Where', [wins, score, graph.scalar(-1)]);
  });
  const perClass = best.length === 1 ? (best[0] ?? raw) : graph.node('Concat', best, { axis: 1 });
  return graph.node(
    'NonMaxSuppression',
    [boxes, perClass, limits.maxDetections, limits.iou, limits.confidence],
    // cx, cy, w, h, as the model gives them.
    { center_point_box: 1 },
  );
}

/** Columns `from` to `to` (exclusive) of an axis. */
function columnsOf(graph: GraphBuilder, tensor: Value, axis: number, from: number, to: number): Value {
  return graph.node('Slice', [tensor, graph.ints([from]), graph.ints([to]), graph.ints([axis])]);
}

/** float64 [found, 4]: corners from cx, cy, w, h, less the pads, by the gain, clipped to the frame. */
function sourceBoxes(graph: GraphBuilder, kept: Value, toSource: Value): Value {
  const centre = graph.cast(columnsOf(graph, kept, 1, 0, 2), 'float64');
  const extent = graph.cast(columnsOf(graph, kept, 1, 2, 4), 'float64');
  const half = graph.node('Div', [extent, graph.constant('float64', [2], [])]);
  const corners = graph.node('Concat', [graph.node('Sub', [centre, half]), graph.node('Add', [centre, half])], {
    axis: 1,
  });
  const [pads, gain, limits] = [0, 1, 2].map((row) => columnsOf(graph, toSource, 0, row, row + 1)) as [
    Value,
    Value,
    Value,
  ];
  const placed = graph.node('Div', [graph.node('Sub', [corners, pads]), gain]);
  const positive = graph.node('Max', [placed, graph.constant('float64', [0], [])]);
  return graph.node('Min', [positive, limits]);
}

/** float32 [found]: the best score of each row, which is that of its class. */
function scoresOf(graph: GraphBuilder, kept: Value, classes: number): Value {
  const scores = Array.from({ length: classes }, (_, i) => columnsOf(graph, kept, 1, 4 + i, 5 + i));
  const best = scores.length === 1 ? (scores[0] ?? kept) : graph.node('Max', scores);
  return graph.node('Reshape', [best, graph.ints([-1])]);
}
