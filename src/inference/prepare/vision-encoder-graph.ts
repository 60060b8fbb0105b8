import { Failure } from '../../failure.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import { importedOpset, type OnnxModel } from '../onnx/onnx-model.ts';
import type { PackManifest } from '../pack-manifest.ts';
import { BICUBIC_TAPS, bicubicGraph } from './bicubic-graph.ts';

/**
 * The vision encoder of the language model with the picture processor inside, at the model's own opset.
 *
 * In: `canvas` uint8 [height, width, 3], the pictures side by side; `columns`, `column_weights`, `lines` and `line_weights` int32
 * [taps, rows, size], where each picture's black square of `size` reads the canvas (`BicubicInputs`); a weight of 0
 * reads nothing, so that the black around a picture needs no pixels. Out: the encoder's features under their own name.
 */
export function visionEncoderGraph(
  model: OnnxModel,
  language: PackManifest['language'],
  options: InlineOptions = {},
): GraphBuilder {
  const spec = language.visionEncoder;
  const size = language.imageSize;
  const [input, ...moreInputs] = spec.inputs;
  const [output] = spec.outputs;
  const refuse = (expected: string, found: string): Failure =>
    new Failure('PACK_BROKEN', `${spec.file.path} cannot be prepared: expected ${expected}, found ${found}`);
  const opset = importedOpset(model, '');
  if (opset === null) throw refuse('an opset of the standard operators', 'none');
  if (input === undefined || output === undefined || moreInputs.length > 0) {
    throw refuse('one input', String(spec.inputs.length));
  }
  const [batch, ...rest] = input.shape;
  if (typeof batch !== 'string' || rest.join() !== [3, size, size].join()) {
    throw refuse(`${input.name} [batch, 3, ${size}, ${size}]`, `[${input.shape.join(', ')}]`);
  }
  if (input.dtype !== 'float32' && input.dtype !== 'float16') {
    throw refuse(`${input.name} of type float32 or float16`, input.dtype);
  }
  if (output.dtype !== 'float32' && output.dtype !== 'float16') {
    throw refuse(`${output.name} of type float32 or float16`, output.dtype);
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
  const planes = graph.node('Transpose', [graph.cast(levels, 'float32')], { perm: [0, 3, 1, 2] });
  // A division: the product with 1/255 differs in the last bit.
  const scaled = graph.node('Div', [planes, graph.scalar(255)]);
  const pixels = input.dtype === 'float16' ? graph.cast(scaled, 'float16') : scaled;
  const features = graph.embed(model, 'encoder', { [input.name]: pixels }, options)[output.name];
  if (features === undefined) {
    throw refuse(`an output ${output.name}`, (model.graph.output ?? []).map(({ name }) => name).join(', '));
  }
  graph.output(features, output.name, output.dtype, output.shape);
  return graph;
}
