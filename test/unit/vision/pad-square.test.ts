import { expect, test } from '@jest/globals';
import { padSquare } from '../../oracle/pad-square.ts';
import { flat, grey, levels } from './pictures.ts';

test('an odd rest goes to the right', () => {
  expect(levels(padSquare(grey([7], [8], [9], [10])))).toEqual([
    [0, 7, 0, 0],
    [0, 8, 0, 0],
    [0, 9, 0, 0],
    [0, 10, 0, 0],
  ]);
});

test('and to the bottom', () => {
  expect(levels(padSquare(grey([1, 2])))).toEqual([
    [1, 2],
    [0, 0],
  ]);
});

test('a square stays as it is', () => {
  const square = flat(5, 5, 3);
  expect(padSquare(square)).toBe(square);
});
