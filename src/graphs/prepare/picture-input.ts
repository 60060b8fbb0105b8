import { Failure } from '../../failure/failure.ts';
import type { TensorDeclaration } from '../onnx/graph-builder.ts';
import { importedOpset, type OnnxModel } from '../onnx/onnx-model.ts';
import type { ModelSignature } from './model-signature.ts';

/** The one picture per row of the batch that a model takes, as the manifest states it, and the opset to compose at. */
export interface PictureInput {
  readonly input: TensorDeclaration & { readonly dtype: 'float32' | 'float16' };
  readonly height: number;
  readonly width: number;
  readonly opset: number;
}

/**
 * Throws PACK_BROKEN unless the model's only input is [batch, channels, height, width] with a fixed size, a dynamic batch axis and
 * floats, and all that `outputs` names are floats as well.
 */
export function pictureInput(
  model: OnnxModel,
  spec: ModelSignature,
  expected: { readonly channels: number; readonly outputs: readonly TensorDeclaration[] },
): PictureInput {
  const { channels } = expected;
  const [input, ...moreInputs] = spec.inputs;
  if (input === undefined || moreInputs.length > 0) throw unprepared(spec, 'one input', String(spec.inputs.length));
  const [batch, planes, height, width] = input.shape;
  if (input.shape.length !== 4 || planes !== channels || typeof height !== 'number' || typeof width !== 'number') {
    throw unprepared(spec, `${input.name} [batch, ${channels}, height, width] with a fixed size`, shapeText(input));
  }
  if (typeof batch !== 'string') {
    throw unprepared(spec, `${input.name} with a dynamic batch axis`, shapeText(input));
  }
  for (const { name, dtype } of expected.outputs) {
    if (dtype !== 'float32' && dtype !== 'float16') throw unprepared(spec, `${name} of type float32 or float16`, dtype);
  }
  const { dtype } = input;
  if (dtype !== 'float32' && dtype !== 'float16') {
    throw unprepared(spec, `${input.name} of type float32 or float16`, dtype);
  }
  const opset = importedOpset(model, '');
  if (opset === null) throw unprepared(spec, 'an opset of the standard operators', 'none');
  return { input: { ...input, dtype }, height, width, opset };
}

/** The refusal of a model that the composed graphs do not fit around. */
export function unprepared(spec: ModelSignature, expected: string, found: string): Failure {
  return new Failure('PACK_BROKEN', `${spec.file.path} cannot be prepared: expected ${expected}, found ${found}`);
}

export function shapeText(tensor: TensorDeclaration): string {
  return `[${tensor.shape.join(', ')}]`;
}
