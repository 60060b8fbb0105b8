import { expect, test } from '@jest/globals';
import { argmax, logSumExp, softmax } from '../../../src/vision/softmax.ts';

test('probabilities keep the ratios and sum to one', () => {
  const [a, b, c] = softmax([Math.log(1), Math.log(2), Math.log(5)]);
  expect(a).toBeCloseTo(0.125, 12);
  expect(b).toBeCloseTo(0.25, 12);
  expect(c).toBeCloseTo(0.625, 12);
});

test('large logits do not overflow, small ones do not vanish', () => {
  expect(softmax([1000, 1000])).toEqual([0.5, 0.5]);
  expect(logSumExp([-1000, -1000])).toBeCloseTo(-1000 + Math.log(2), 9);
  expect(logSumExp(Float32Array.of(710, 0))).toBe(710);
});

test('a masked value has probability zero', () => {
  expect(softmax([0, -Infinity])).toEqual([1, 0]);
});

test('nothing to sum', () => {
  expect(logSumExp([])).toBe(-Infinity);
  expect(logSumExp([-Infinity, -Infinity])).toBe(-Infinity);
  expect(softmax([])).toEqual([]);
});

test('the first of equal values is the largest', () => {
  expect(argmax([1, 7, 3, 7])).toBe(1);
  expect(argmax([-3, -2, -9])).toBe(1);
  expect(argmax([])).toBe(-1);
});
