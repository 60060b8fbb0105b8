import { describe, expect, test } from '@jest/globals';
import { Tensor } from 'onnxruntime-node';
import {
  assertFinite,
  floatTensor,
  int64Tensor,
  readFloatRange,
  readFloats,
  takeRows,
} from '../../../src/inference/tensor.ts';

describe('element types', () => {
  test('float32 values are passed without a copy', () => {
    const values = Float32Array.of(1, 2);
    expect(floatTensor('float32', values, [2]).data).toBe(values);
    expect(readFloats(new Tensor('float32', values, [2]))).toBe(values);
  });

  test('float16 values are rounded to half precision and back', () => {
    const tensor = floatTensor('float16', Float32Array.of(1, 0.1, -2.5, 65504), [4]);
    expect(tensor.type).toBe('float16');
    const back = readFloats(tensor);
    expect(back[0]).toBe(1);
    expect(back[1]).toBeCloseTo(0.1, 4);
    expect(back[1]).not.toBe(Math.fround(0.1));
    expect([back[2], back[3]]).toEqual([-2.5, 65504]);
  });

  test('a range is read from either type', () => {
    for (const type of ['float32', 'float16']) {
      const tensor = floatTensor(type, Float32Array.of(1, 2, 3, 4), [2, 2]);
      expect([...readFloatRange(tensor, 1, 2)]).toEqual([2, 3]);
    }
    expect(() => readFloatRange(int64Tensor([1], [1]), 0, 1)).toThrow(/int64/);
  });

  test('whole numbers become 64-bit', () => {
    const tensor = int64Tensor([3, -1], [1, 2]);
    expect([...(tensor.data as BigInt64Array)]).toEqual([3n, -1n]);
  });

  test('another type where floats are expected is refused', () => {
    expect(() => floatTensor('uint8', new Float32Array(1), [1])).toThrow(/uint8/);
    expect(() => readFloats(int64Tensor([1], [1]))).toThrow(/int64/);
  });
});

test('rows are taken in order, repeated and left out, in float32 and float16', () => {
  for (const type of ['float32', 'float16']) {
    const tensor = floatTensor(type, Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
    const taken = takeRows(tensor, [2, 0, 2]);
    expect(taken.type).toBe(type);
    expect(taken.dims).toEqual([3, 2]);
    expect([...readFloats(taken)]).toEqual([5, 6, 1, 2, 5, 6]);
  }
});

test('a value that is not finite is refused with its place', () => {
  expect(() => assertFinite(Float32Array.of(1, Number.NaN), 'age_gender.onnx output')).toThrow(
    /age_gender\.onnx output has the value NaN at position 1/,
  );
  expect(() => assertFinite(Float32Array.of(Infinity), 'x')).toThrow(/Infinity/);
  assertFinite(Float32Array.of(1, -1), 'x');
  assertFinite(new Float32Array(0), 'x');
  for (let place = 0; place < 7; place++) {
    const values = Float32Array.from({ length: 7 }, (_, i) => (i === place ? -Infinity : 3e38));
    expect(() => assertFinite(values, 'x')).toThrow(`the value -Infinity at position ${place};`);
  }
});
