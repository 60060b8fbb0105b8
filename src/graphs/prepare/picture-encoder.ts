import type { GraphBuilder, TensorDeclaration, Value } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import { bicubicGraph } from './bicubic-graph.ts';
import { normaliseGraph } from './normalise-graph.ts';
import type { ModelSignature } from './model-signature.ts';
import { type PictureInput, pictureInput, shapeText, unprepared } from './picture-input.ts';
import { BICUBIC_TAPS } from './prepared-inputs.ts';

/** What a graph needs to know of the language model's eyes. */
export interface PictureEncoder {
  readonly visionEncoder: ModelSignature;
  /** Pixels of a side. */
  readonly imageSize: number;
}

/** The vision encoder's tensors as the manifest states them, and the opset to compose at. */
interface EncoderTensors extends PictureInput {
  readonly features: TensorDeclaration;
}

/** Throws PACK_BROKEN unless the encoder takes one square picture per row, of the size that the manifest names. */
export function encoderTensors(
  model: OnnxModel,
  { visionEncoder: spec, imageSize: size }: PictureEncoder,
): EncoderTensors {
  const [features] = spec.outputs;
  if (features === undefined) throw unprepared(spec, 'an output', 'none');
  const picture = pictureInput(model, spec, { channels: 3, outputs: [features] });
  if (picture.height !== size || picture.width !== size) {
    throw unprepared(spec, `${picture.input.name} [batch, 3, ${size}, ${size}]`, shapeText(picture.input));
  }
  return { ...picture, features };
}

/**
 * Declares the inputs and adds the operators from raw pictures to the encoder's features [rows, positions, width].
 *
 * The inputs: `canvas` uint8 [height, width, 3], the pictures side by side; `columns`, `column_weights`, `lines` and `line_weights`
 * int32 [taps, rows, size], where each picture's black square of `size` reads the canvas (`BicubicInputs`); a weight of 0
 * reads nothing, so that the black around a picture needs no pixels.
 */
export function addPictureEncoder(
  graph: GraphBuilder,
  encoder: { readonly model: OnnxModel; readonly tensors: EncoderTensors; readonly spec: ModelSignature },
  options: InlineOptions = {},
): Value {
  const { model, tensors, spec } = encoder;
  const { input, features, width: size } = tensors;
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
  const found = graph.embed(model, 'encoder', { [input.name]: pixels }, options)[features.name];
  if (found !== undefined) return found;
  throw unprepared(spec, `an output ${features.name}`, (model.graph.output ?? []).map(({ name }) => name).join(', '));
}
