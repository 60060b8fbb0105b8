import { Failure } from '../../failure.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { InlineOptions } from '../onnx/inline-model.ts';
import { importedOpset, type OnnxModel } from '../onnx/onnx-model.ts';
import type { ModelSpec, TensorSpec } from '../pack-manifest.ts';

/** The one picture that a per-person model takes and the one row of numbers that it gives, as the manifest states them. */
export interface HeadTensors {
  readonly input: TensorSpec & { readonly dtype: 'float32' | 'float16' };
  readonly output: TensorSpec;
  readonly height: number;
  readonly width: number;
  readonly opset: number;
}

/**
 * Throws PACK_BROKEN unless the model takes [batch, channels, height, width] with a fixed size and gives [batch, values],
 * both with a dynamic batch axis and in floats.
 */
export function headTensors(
  model: OnnxModel,
  spec: ModelSpec,
  expected: { readonly channels: number; readonly values: number },
): HeadTensors {
  const { channels, values } = expected;
  const refuse = (wanted: string, found: string): Failure =>
    new Failure('PACK_BROKEN', `${spec.file.path} cannot be prepared: expected ${wanted}, found ${found}`);
  const [input, ...moreInputs] = spec.inputs;
  const [output] = spec.outputs;
  if (input === undefined || output === undefined || moreInputs.length > 0) {
    throw refuse('one input', String(spec.inputs.length));
  }
  const [batch, planes, height, width] = input.shape;
  if (input.shape.length !== 4 || planes !== channels || typeof height !== 'number' || typeof width !== 'number') {
    throw refuse(`${input.name} [batch, ${channels}, height, width] with a fixed size`, shapeText(input));
  }
  if (typeof batch !== 'string') throw refuse(`${input.name} with a dynamic batch axis`, shapeText(input));
  if (output.shape.length !== 2 || output.shape[1] !== values) {
    throw refuse(`${output.name} [batch, ${values}]`, shapeText(output));
  }
  if (output.dtype !== 'float32' && output.dtype !== 'float16') {
    throw refuse(`${output.name} of type float32 or float16`, output.dtype);
  }
  const { dtype } = input;
  if (dtype !== 'float32' && dtype !== 'float16') {
    throw refuse(`${input.name} of type float32 or float16`, dtype);
  }
  const opset = importedOpset(model, '');
  if (opset === null) throw refuse('an opset of the standard operators', 'none');
  return { input: { ...input, dtype }, output, height, width, opset };
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

function shapeText(tensor: TensorSpec): string {
  return `[${tensor.shape.join(', ')}]`;
}
