import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import { bicubicGraph } from './bicubic-graph.ts';
import { normaliseGraph } from './normalise-graph.ts';
import type { ModelSignature } from './model-signature.ts';
import { pictureInput, shapeText, unprepared } from './picture-input.ts';
import { BICUBIC_TAPS } from './prepared-inputs.ts';

/** What the graph needs to know of the language model. */
interface PictureEncoder {
  readonly visionEncoder: ModelSignature;
  /** Pixels of a side. */
  readonly imageSize: number;
}

/**
 * The vision encoder of the language model with the picture processor inside, at the model's own opset.
 *
 * In: `canvas` uint8 [height, width, 3], the pictures side by side; `columns`, `column_weights`, `lines` and `line_weights` int32
 * [taps, rows, size], where each picture's black square of `size` reads the canvas (`BicubicInputs`); a weight of 0
 * reads nothing, so that the black around a picture needs no pixels. Out: the encoder's features under their own name.
 */
export function visionEncoderGraph(
  model: OnnxModel,
  language: PictureEncoder,
  options: InlineOptions = {},
): GraphBuilder {
  const spec = language.visionEncoder;
  const size = language.imageSize;
  const [output] = spec.outputs;
  if (output === undefined) throw unprepared(spec, 'an output', 'none');
  const { input, height, width, opset } = pictureInput(model, spec, { channels: 3, outputs: [output] });
  if (height !== size || width !== size) {
    throw unprepared(spec, `${input.name} [batch, 3, ${size}, ${size}]`, shapeText(input));
  }

  const graph = new GraphBuilder('prepared_vision_encoder', { opset });
  const taps = [BICUBIC_TAPS, 'rows', size] as const;
  const levels = bicubicGraph(graph, {
    canvas: graph.input('canvas', 'uint8', ['height', 'width', 3]),
    columns: graph.input('columns', 'int32', taps),
    columnWeights: graph.input('column_weights', 'int32', taps),
    lines: graph.input('lines', 'int32', taps),
    lineWeights: graph.input('line_weights', 'int32', taps),
    size,
  });
  const pixels = normaliseGraph(graph, levels, { mean: [0, 0, 0], std: [1, 1, 1], dtype: input.dtype });
  const features = graph.embed(model, 'encoder', { [input.name]: pixels }, options)[output.name];
  if (features === undefined) {
    throw unprepared(spec, `an output ${output.name}`, (model.graph.output ?? []).map(({ name }) => name).join(', '));
  }
  graph.output(features, output.name, output.dtype, output.shape);
  return graph;
}
