import { describe, expect, test } from '@jest/globals';
import { CUDA_KERNELS, CUDA_TYPE_SETS } from '../../../../src/graphs/placement/cuda-kernel-table.ts';
import { findCudaKernel } from '../../../../src/graphs/placement/cuda-kernels.ts';
import { operatorSchema } from '../../../../src/graphs/placement/operator-schemas.ts';

const none = new Map<string, readonly (string | null)[]>();
const bound = (types: Readonly<Record<string, string | null>>): Map<string, (string | null)[]> =>
  new Map(Object.entries(types).map(([variable, type]) => [variable, [type]]));

function kernelAt(op: string, opset: number, types: Readonly<Record<string, string | null>> = {}): string {
  const schema = operatorSchema(op, opset);
  return schema === null ? 'no schema' : findCudaKernel(op, schema.since, bound(types)).found;
}

/** Operators that ONNX withdrew before opset 11; the provider still has their old kernels. */
const WITHDRAWN = ['Affine', 'Crop', 'DynamicSlice', 'ImageScaler', 'ParametricSoftplus', 'ScaledTanh'];
const operators = CUDA_KERNELS.trim()
  .split('\n')
  .map((line) => line.split(' ')[0]!)
  .filter((op) => !WITHDRAWN.includes(op));

/** Operators of the table that had a kernel once and have none for the schema that is valid at this opset. */
const overtaken = (opset: number): readonly string[] =>
  operators.filter((op) => {
    const schema = operatorSchema(op, opset);
    return !op.includes(':') && schema !== null && findCudaKernel(op, schema.since, none).found === 'no';
  });

describe('the range of a kernel', () => {
  test('every operator of the table has a kernel at opsets 13 to 21', () => {
    for (let opset = 13; opset <= 21; opset++) expect([opset, overtaken(opset)]).toEqual([opset, []]);
  });

  test('at opset 22 an open range does not reach the newer schema', () => {
    expect(overtaken(22)).toEqual([
      'Dropout',
      'Elu',
      'EyeLike',
      'InstanceNormalization',
      'MaxPool',
      'Selu',
      'ThresholdedRelu',
    ]);
  });

  test('the schema counts, not the opset of the model: Relu 14 serves opset 17', () => {
    expect(kernelAt('Relu', 17, { T: 'float' })).toBe('yes');
    expect(findCudaKernel('MaxPool', 22, bound({ T: 'float' }))).toEqual({
      found: 'no',
      reason: 'the CUDA provider has it for the schemas of opset 12, 11, not for that of opset 22',
    });
    expect(kernelAt('MaxPool', 21, { T: 'float' })).toBe('yes');
  });

  test('operators without a kernel', () => {
    for (const op of ['Col2Im', 'BitwiseAnd', 'Unique', 'Hardmax']) expect([op, kernelAt(op, 18)]).toEqual([op, 'no']);
  });
});

test('the table is whole: every set of types exists, every operator has a schema', () => {
  const named = [...CUDA_KERNELS.matchAll(/@(\d+)/g)].map((match) => Number(match[1]));
  expect(Math.max(...named)).toBe(CUDA_TYPE_SETS.length - 1);
  const types = CUDA_TYPE_SETS.flatMap((set) => set.split(','));
  expect(types.every((type) => /^(bool|string|b?float\w*|double|u?int\d+)$/.test(type))).toBe(true);
  expect(operators.filter((op) => operatorSchema(op, 27) === null)).toEqual([]);
});

describe('the types of a kernel', () => {
  test.each([
    ['Pad', 18, { T: 'uint8' }, 'no'],
    ['Pad', 18, { T: 'float16' }, 'yes'],
    ['Where', 17, { T: 'bool' }, 'no'],
    ['Where', 17, { T: 'uint8' }, 'yes'],
    ['ArgMax', 17, { T: 'int64' }, 'no'],
    ['Clip', 17, { T: 'int32' }, 'no'],
    ['Tile', 17, { T: 'uint8' }, 'no'],
    ['RoiAlign', 17, { T1: 'float16', T2: 'int64' }, 'yes'],
    ['GridSample', 17, { T1: 'float16', T2: 'float16' }, 'no'],
    ['Resize', 17, { T1: 'uint8' }, 'yes'],
    ['NonMaxSuppression', 17, {}, 'yes'],
    ['com.microsoft:GroupQueryAttention', 1, { T: 'float', M: 'int32' }, 'no'],
    ['com.microsoft:GroupQueryAttention', 1, { T: 'float16', T_CACHE: 'float16', M: 'int32' }, 'yes'],
  ] as const)('%s at opset %i with %j: %s', (op, opset, types, found) => {
    expect(kernelAt(op, opset, types)).toBe(found);
  });

  test('a type that is not known leaves the question open, unless another one decides it', () => {
    expect(kernelAt('Add', 17, { T: null })).toBe('unknown');
    expect(findCudaKernel('Add', 14, new Map([['T', [null, 'string']]]))).toMatchObject({
      found: 'no',
      reason: expect.stringMatching(/not for string$/),
    });
  });
});
