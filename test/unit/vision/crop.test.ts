import { expect, test } from '@jest/globals';
import { wholePixels } from '../../../src/vision/crop.ts';
import { crop } from '../../oracle/crop.ts';
import { grey, levels } from './pictures.ts';

const picture = grey([0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]);
const box = (x1: number, y1: number, x2: number, y2: number) => ({ x1, y1, x2, y2 });

test('the end is exclusive, fractions are cut', () => {
  expect(levels(crop(picture, box(1.9, 0.9, 3.9, 2.9))!)).toEqual([
    [1, 2],
    [11, 12],
  ]);
});

test('a box over the border never gets the last column and row', () => {
  expect(levels(crop(picture, box(-5, -5, 99, 99))!)).toEqual([
    [0, 1, 2],
    [10, 11, 12],
  ]);
});

test('the crop owns its pixels', () => {
  const copy = crop(picture, box(0, 0, 2, 2))!;
  copy.pixels.fill(255);
  expect(levels(picture)[0]).toEqual([0, 1, 2, 3]);
});

test.each([
  ['no width', box(1.1, 0, 1.9, 2)],
  ['no height', box(0, 1, 2, 1)],
  ['inverted', box(3, 2, 1, 0)],
  ['left of the picture', box(-9, 0, -1, 2)],
  ['right of the picture', box(4, 0, 9, 2)],
  ['below the picture', box(0, 7, 2, 9)],
  ['not a number', box(NaN, 0, 2, 2)],
])('%s: nothing is left', (_name, empty) => {
  expect(crop(picture, empty)).toBeNull();
});

test('edges are cut toward zero on both sides of it', () => {
  const { x1, y1, x2, y2 } = wholePixels(box(-1.9, -0.5, 1.9, 2));
  expect([x1, y1 + 0, x2, y2]).toEqual([-1, 0, 1, 2]);
});
