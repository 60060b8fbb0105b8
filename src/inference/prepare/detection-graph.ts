import { Failure } from '../../failure.ts';
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import { importedOpset, type OnnxModel } from '../onnx/onnx-model.ts';
import type { PackManifest } from '../pack-manifest.ts';
import { letterboxGraph, TAP_ROWS } from './letterbox-graph.ts';

export type Yolov8Spec = Extract<PackManifest['detection'], { readonly adapter: 'yolov8' }>;

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
export function detectionGraph(model: OnnxModel, spec: Yolov8Spec, options: InlineOptions = {}): GraphBuilder {
  const { input, output, height, width } = detectorTensors(spec);
  const opset = importedOpset(model, '');
  if (opset === null) throw refuse(spec, 'an opset of the standard operators', 'none');
  const graph = new GraphBuilder('prepared_detection', { opset });
  const frames = graph.input('frames', 'uint8', ['batch', 'height', 'width', 3]);
  const rows = graph.input('rows', 'int32', [TAP_ROWS.length, height]);
  const columns = graph.input('columns', 'int32', [TAP_ROWS.length, width]);
  const toSource = graph.input('to_source', 'float64', [3, 4]);
  const confidence = graph.input('confidence', 'float32', [1]);
  const iou = graph.input('iou', 'float32', [1]);
  const maxDetections = graph.input('max_detections', 'int64', [1]);

  const levels = letterboxGraph(graph, { frames, rows, columns, target: { height, width } });
  const pixels = graph.node('Reshape', [levels, graph.ints([0, height, width, 3])]);
  const planes = graph.node('Transpose', [graph.cast(pixels, 'float32')], { perm: [0, 3, 1, 2] });
  // A division: the product with 1/255 differs in the last bit.
  const scaled = graph.node('Div', [planes, graph.scalar(255)]);
  const images = input.dtype === 'float16' ? graph.cast(scaled, 'float16') : scaled;
  const found = graph.embed(model, 'detector', { [input.name]: images }, options)[output.name];
  if (found === undefined) {
    throw refuse(spec, `an output ${output.name}`, `only ${(model.graph.output ?? []).map((o) => o.name).join(', ')}`);
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

interface DetectorTensors {
  readonly input: Yolov8Spec['model']['inputs'][number];
  readonly output: Yolov8Spec['model']['outputs'][number];
  readonly height: number;
  readonly width: number;
}

/** The tensors that the manifest states; throws PACK_BROKEN where they are not those of the interface. */
function detectorTensors(spec: Yolov8Spec): DetectorTensors {
  const { inputs, outputs } = spec.model;
  const [input, ...moreInputs] = inputs;
  const [output] = outputs;
  const [batch, channels, height, width] = input?.shape ?? [];
  const shape = `[${(input?.shape ?? []).join(', ')}]`;
  if (input === undefined || output === undefined || moreInputs.length > 0) {
    throw refuse(spec, 'one input', String(inputs.length));
  }
  if (input.shape.length !== 4 || channels !== 3 || typeof height !== 'number' || typeof width !== 'number') {
    throw refuse(spec, `${input.name} [batch, 3, height, width] with a fixed size`, shape);
  }
  if (typeof batch !== 'string') throw refuse(spec, `${input.name} with a dynamic batch axis`, shape);
  for (const tensor of [input, output]) {
    if (tensor.dtype !== 'float32' && tensor.dtype !== 'float16') {
      throw refuse(spec, `${tensor.name} of type float32 or float16`, tensor.dtype);
    }
  }
  const values = 4 + spec.classes.length;
  if (output.shape.length !== 3 || output.shape[1] !== values) {
    const expected = `${output.name} [batch, ${values}, anchors] for ${spec.classes.length} classes`;
    throw refuse(spec, expected, `[${output.shape.join(', ')}]`);
  }
  return { input, output, height, width };
}

function refuse(spec: Yolov8Spec, expected: string, found: string): Failure {
  return new Failure('PACK_BROKEN', `${spec.model.file.path} cannot be prepared: expected ${expected}, found ${found}`);
}

interface Limits {
  readonly confidence: Value;
  readonly iou: Value;
  readonly maxDetections: Value;
}

/**
 * int64 [found, 3]: batch, class and anchor of what non-maximum suppression keeps. An anchor takes part in its best class
 * only, the first of equal ones; elsewhere its score is -1, which is above no threshold. ArgMax is avoided: which of equal values it
 * takes is not the same on every device.
 */
function suppress(graph: GraphBuilder, raw: Value, classes: number, limits: Limits): Value {
  const boxes = graph.node('Transpose', [values(graph, raw, 1, 0, 4)], { perm: [0, 2, 1] });
  const scores = Array.from({ length: classes }, (_, i) => values(graph, raw, 1, 4 + i, 5 + i));
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
function values(graph: GraphBuilder, tensor: Value, axis: number, from: number, to: number): Value {
  return graph.node('Slice', [tensor, graph.ints([from]), graph.ints([to]), graph.ints([axis])]);
}

/** float64 [found, 4]: corners from cx, cy, w, h, less the pads, by the gain, clipped to the frame. */
function sourceBoxes(graph: GraphBuilder, kept: Value, toSource: Value): Value {
  const centre = graph.cast(values(graph, kept, 1, 0, 2), 'float64');
  const extent = graph.cast(values(graph, kept, 1, 2, 4), 'float64');
  const half = graph.node('Div', [extent, graph.constant('float64', [2], [])]);
  const corners = graph.node('Concat', [graph.node('Sub', [centre, half]), graph.node('Add', [centre, half])], {
    axis: 1,
  });
  const [pads, gain, limits] = [0, 1, 2].map((row) => values(graph, toSource, 0, row, row + 1)) as [
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
  const scores = Array.from({ length: classes }, (_, i) => values(graph, kept, 1, 4 + i, 5 + i));
  const best = scores.length === 1 ? (scores[0] ?? kept) : graph.node('Max', scores);
  return graph.node('Reshape', [best, graph.ints([-1])]);
}
