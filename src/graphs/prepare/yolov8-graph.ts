import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import { addFrames } from './frame-graph.ts';
import type { ModelSignature } from './model-signature.ts';
import { pictureInput, shapeText, unprepared } from './picture-input.ts';
import { ANCHORS_OUTPUT } from './prepared-inputs.ts';

/** What the graph needs to know of a detector. */
interface AnchorDetector {
  readonly model: ModelSignature;
  readonly classes: readonly string[];
}

/**
 * The official detector with its picture made and its scores looked through inside one graph, at the model's own opset.
 *
 * In: `frames`, `rows` and `columns` (`addFrames`), the letterbox as the taps say; and `confidence` float32 [1], which stays the
 * manifest's.
 *
 * Out (`ANCHORS_OUTPUT`), one row for each anchor whose best score is above `confidence`, and for each with a number that is NaN or
 * infinite, by frame and anchor: `candidates` float32 [found, 4 + classes], the model's numbers, and `places` int32 [found, 2], its frame in
 * the batch and its anchor. So a few kilobytes leave the GPU, in copies that do not grow in number with the batch. Which of them
 * are kept is decided outside: the CUDA kernel of NonMaxSuppression launches, allocates and waits for every class of every frame.
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
  const confidence = graph.input('confidence', 'float32', [1]);

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

  const anchors = graph.node('Transpose', [raw], { perm: [0, 2, 1] });
  const passes = passing(graph, { best: bestScores(graph, raw, spec.classes.length), anchors, confidence });
  const places = graph.node('Transpose', [graph.node('NonZero', [passes])], { perm: [1, 0] });
  const candidates = graph.node('GatherND', [anchors, places]);
  graph.output(candidates, ANCHORS_OUTPUT.candidates, 'float32', ['found', values]);
  graph.output(graph.cast(places, 'int32'), ANCHORS_OUTPUT.places, 'int32', ['found', 2]);
  return graph;
}

/** bool [batch, anchors]: what is to leave the graph. */
function passing(
  graph: GraphBuilder,
  { best, anchors, confidence }: { readonly best: Value; readonly anchors: Value; readonly confidence: Value },
): Value {
  // A maximum may pass over NaN, a sum does not: 0, or NaN where any number is NaN or infinite.
  const zeros = graph.node('ReduceSum', [graph.node('Mul', [anchors, graph.scalar(0)]), graph.ints([2])], {
    keepdims: 0,
  });
  // NaN is not below anything.
  return graph.node('Not', [graph.node('LessOrEqual', [graph.node('Add', [best, zeros]), confidence])]);
}

/** float32 [batch, anchors], from [batch, 4 + classes, anchors]. */
function bestScores(graph: GraphBuilder, raw: Value, classes: number): Value {
  const scores = Array.from({ length: classes }, (_, i) =>
    graph.node('Slice', [raw, graph.ints([4 + i]), graph.ints([5 + i]), graph.ints([1])]),
  );
  const best = scores.length === 1 ? (scores[0] ?? raw) : graph.node('Max', scores);
  return graph.node('Reshape', [best, graph.ints([0, -1])]);
}
