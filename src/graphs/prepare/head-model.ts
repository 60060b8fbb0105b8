import { Failure } from '../../failure/failure.ts';
import type { TensorDeclaration, GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import type { OnnxModel } from '../onnx/onnx-model.ts';
import type { ModelSignature } from './model-signature.ts';
import { pictureInput, shapeText, unprepared, type PictureInput } from './picture-input.ts';

/** The one picture that a per-person model takes and the one row of numbers that it gives, as the manifest states them. */
interface HeadTensors extends PictureInput {
  readonly output: TensorDeclaration;
}

/**
 * Throws PACK_BROKEN unless the model takes [batch, channels, height, width] with a fixed size and gives [batch, values],
 * both with a dynamic batch axis and in floats.
 */
export function headTensors(
  model: OnnxModel,
  spec: ModelSignature,
  expected: { readonly channels: number; readonly values: number },
): HeadTensors {
  const { channels, values } = expected;
  const outputs = spec.outputs.slice(0, 1);
  const picture = pictureInput(model, spec, { channels, outputs });
  const [output] = outputs;
  if (output === undefined || output.shape.length !== 2 || output.shape[1] !== values) {
    const found = output === undefined ? 'none' : shapeText(output);
    throw unprepared(spec, `${output?.name ?? 'an output'} [batch, ${values}]`, found);
  }
  return { ...picture, output };
}

/** Embeds the model behind its picture; the output as float32, which holds every float16 exactly. */
export function embedHead(
  graph: GraphBuilder,
  picture: Value,
  head: { readonly model: OnnxModel; readonly tensors: HeadTensors; readonly options: InlineOptions },
): Value {
  const { input, output } = head.tensors;
  const found = graph.embed(head.model, 'head', { [input.name]: picture }, head.options)[output.name];
  if (found === undefined) {
    const names = (head.model.graph.output ?? []).map(({ name }) => name).join(', ');
    throw new Failure('PACK_BROKEN', `${graph.name}: expected the model's output ${output.name}, found only ${names}`);
  }
  return output.dtype === 'float16' ? graph.cast(found, 'float32') : found;
}
