import { expect, test } from '@jest/globals';
import { orientationTaps } from '../../../src/vision/warp-affine.ts';
import { orientationCrop } from '../../oracle/orientation-crop.ts';
import { flat, grey, levels } from './pictures.ts';

const square = (side: number, scale = 1) => ({ width: side, height: side, scale });

test('a window of the target size copies its pixels', () => {
  const picture = grey([0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]);
  expect(levels(orientationCrop(picture, { x1: 1, y1: 1, x2: 3, y2: 3 }, square(2)))).toEqual([
    [11, 12],
    [21, 22],
  ]);
});

test('half a pixel further: the mean of neighbours', () => {
  const picture = grey([0, 10, 20], [0, 10, 20], [0, 10, 20]);
  expect(levels(orientationCrop(picture, { x1: 0.5, y1: 0, x2: 2.5, y2: 2 }, square(2)))).toEqual([
    [5, 15],
    [5, 15],
  ]);
});

test('the short side grows around the centre, and outside is black', () => {
  // 2 wide, 4 high: the window is 4 x 4 around (3, 2), so it begins at x = 1.
  const cropped = orientationCrop(flat(4, 4, 90), { x1: 2, y1: 0, x2: 4, y2: 4 }, square(4));
  expect(levels(cropped)).toEqual(Array.from({ length: 4 }, () => [90, 90, 90, 0]));
});

test('a scale widens the window', () => {
  const cropped = orientationCrop(flat(4, 4, 90), { x1: 0, y1: 0, x2: 4, y2: 4 }, square(4, 2));
  // Every second pixel from -2 on.
  expect(levels(cropped)).toEqual([
    [0, 0, 0, 0],
    [0, 90, 90, 0],
    [0, 90, 90, 0],
    [0, 0, 0, 0],
  ]);
});

test('the border fades into the black by the part that lies inside', () => {
  const cropped = orientationCrop(flat(2, 2, 100), { x1: -0.5, y1: 0, x2: 1.5, y2: 2 }, square(2));
  expect(levels(cropped)).toEqual([
    [50, 100],
    [50, 100],
  ]);
});

test('a box outside the picture is black, a box without size one colour', () => {
  const target = { width: 192, height: 256, scale: 1.25 };
  const outside = orientationCrop(flat(9, 9, 200), { x1: 500, y1: 500, x2: 520, y2: 560 }, target);
  expect(outside.pixels.every((level) => level === 0)).toBe(true);
  const point = orientationCrop(flat(9, 9, 200), { x1: 4, y1: 4, x2: 4, y2: 4 }, target);
  expect(point.pixels.every((level) => level === 200)).toBe(true);
});

test('a row is read where the reference, which holds the window in single precision, reads it', () => {
  const box = { x1: 250.5, y1: 100.25, x2: 320, y2: 240 };
  const { rows } = orientationTaps({ width: 320, height: 240 }, box, { width: 192, height: 256, scale: 1.25 });
  // In double precision, or with the row's two terms rounded apart, 12.
  expect(rows.highWeight[58]).toBe(11);
});
