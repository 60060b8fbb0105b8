import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import { addPictureEncoder, encoderTensors, type PictureEncoder } from './picture-encoder.ts';

/**
 * The vision encoder of the language model with the picture processor inside, at the model's own opset. In: the inputs of
 * `addPictureEncoder`. Out: the encoder's features under their own name.
 */
export function visionEncoderGraph(
  model: OnnxModel,
  language: PictureEncoder,
  options: InlineOptions = {},
): GraphBuilder {
  const tensors = encoderTensors(model, language);
  const graph = new GraphBuilder('prepared_vision_encoder', { opset: tensors.opset });
  const features = addPictureEncoder(graph, { model, tensors, spec: language.visionEncoder }, options);
  graph.output(features, tensors.features.name, tensors.features.dtype, tensors.features.shape);
  return graph;
}
