import { findCudaKernel } from './cuda-kernels.ts';
import type { KernelAnswer, TypeBindings } from './cuda-kernels.ts';
import { operatorSchema } from './operator-schemas.ts';

interface Expansion {
  /** Operators on the values, and on shapes and sizes. */
  readonly values: readonly string[];
  readonly shapes: readonly string[];
}

/**
 * Operators that have a kernel neither in the CUDA nor in the CPU provider and are replaced by the operators of their ONNX
 * function body before nodes are placed: the executed operators were observed with ONNX Runtime 1.30.0, CastLike is one
 * Cast. What the CPU provider
 * implements itself is not replaced but runs there.
 */
const FUNCTION_BODIES: Readonly<Record<string, Expansion>> = {
  CastLike: { values: ['Cast'], shapes: [] },
  CenterCropPad: { values: ['Pad', 'Slice'], shapes: ['Shape', 'Gather', 'Max', 'Sub', 'Div', 'Concat', 'Add'] },
  GroupNormalization: {
    values: ['Cast', 'Reshape', 'Div', 'ReduceMean', 'Sub', 'Mul', 'Add', 'Sqrt'],
    shapes: ['Shape', 'Concat'],
  },
  Mish: { values: ['Softplus', 'Tanh', 'Mul'], shapes: [] },
  Swish: { values: ['Cast', 'Mul', 'Sigmoid'], shapes: [] },
};

/** The answer for an operator that is replaced by its function body; null for all others. */
export function expandedKernel(name: string, opset: number, bindings: TypeBindings): KernelAnswer | null {
  const body = FUNCTION_BODIES[name];
  if (body === undefined) return null;
  const types = [...bindings.values()].flat();
  const answers = [
    ...body.values.map((op) => ({ op, answer: kernelOf(op, opset, op === 'Cast' ? types : types.slice(0, 1)) })),
    ...body.shapes.map((op) => ({ op, answer: kernelOf(op, opset, ['int64']) })),
  ];
  const missing = answers.find(({ answer }) => answer.found !== 'yes');
  if (missing === undefined || missing.answer.found === 'yes') return { found: 'yes' };
  return { found: missing.answer.found, reason: `${missing.op} of its function body: ${missing.answer.reason}` };
}

function kernelOf(op: string, opset: number, types: readonly (string | null)[]): KernelAnswer {
  const schema = operatorSchema(op, opset);
  if (schema === null) return { found: 'no', reason: 'the CUDA provider has no such operator' };
  const variables = [...schema.inputs, ...schema.outputs].flatMap(({ variable }) =>
    variable === null ? [] : [variable],
  );
  return findCudaKernel(op, schema.since, new Map(variables.map((variable) => [variable, types])));
}
