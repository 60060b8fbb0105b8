import { expect, test } from '@jest/globals';
import { roundDecimals, roundHalfEven } from '../../../src/vision/round.ts';

test.each([
  [0.5, 0],
  [1.5, 2],
  [2.5, 2],
  [-0.5, 0],
  [-1.5, -2],
  [-2.5, -2],
  [0.49999999999999994, 0],
  [360.5, 360],
  [2.5000001, 3],
  [-0.1, 0],
])('%d rounds to the nearest integer %d, ties to even', (x, expected) => {
  expect(roundHalfEven(x) + 0).toBe(expected);
});

test.each([
  [65.625, 65.62],
  [53.875, 53.88],
  [0.125, 0.12],
  [-0.125, -0.12],
  [-0.375, -0.38],
  // Times 100 this is a tie; the value itself lies just below one.
  [2.675, 2.67],
  [1.005, 1],
  [0.285, 0.28],
  [-2.32, -2.32],
  [48, 48],
])('%d to two decimals is %d', (x, expected) => {
  expect(roundDecimals(x, 2)).toBe(expected);
});

test('values that are not numbers stay what they are', () => {
  expect(roundDecimals(NaN, 2)).toBeNaN();
  expect(roundDecimals(Infinity, 2)).toBe(Infinity);
});
