import { expect, test } from '@jest/globals';
import { resizeBilinear, resizeInto } from '../../oracle/resize-bilinear.ts';
import { flat, grey, levels } from './pictures.ts';

test('twice as wide: centres at a quarter, borders repeated', () => {
  expect(levels(resizeBilinear(grey([0, 100], [0, 100]), 4, 2))).toEqual([
    [0, 25, 75, 100],
    [0, 25, 75, 100],
  ]);
});

test('twice as high', () => {
  expect(levels(resizeBilinear(grey([0], [100]), 1, 4))).toEqual([[0], [25], [75], [100]]);
});

test('half the size is the mean of four, halves up', () => {
  expect(levels(resizeBilinear(grey([0, 1, 8, 8], [0, 1, 9, 9]), 2, 1))).toEqual([[1, 9]]);
});

test('a third takes the middle pixel: there is no antialiasing', () => {
  const picture = grey([0, 0, 0, 255, 255, 255], [0, 90, 0, 0, 30, 0], [0, 0, 0, 255, 255, 255]);
  expect(levels(resizeBilinear(picture, 2, 1))).toEqual([[90, 30]]);
});

test('flat pictures lose at most a level, at their upper and lower border', () => {
  for (const level of [0, 1, 114, 254, 255]) {
    const found = new Set(resizeBilinear(flat(17, 29, level), 192, 256).pixels);
    expect([...found].every((value) => value === level || value === level - 1)).toBe(true);
  }
});

test('channels stay apart', () => {
  const picture = { width: 2, height: 1, pixels: Uint8Array.of(0, 100, 200, 80, 100, 40) };
  expect([...resizeBilinear(picture, 1, 1).pixels]).toEqual([40, 100, 120]);
});

test('one pixel becomes any size', () => {
  expect(levels(resizeBilinear(flat(1, 1, 64), 3, 2))).toEqual([
    [64, 64, 64],
    [64, 64, 64],
  ]);
});

test('an equal size is not copied', () => {
  const picture = flat(4, 3, 1);
  expect(resizeBilinear(picture, 4, 3)).toBe(picture);
});

test('writes only inside its rectangle', () => {
  const pixels = new Uint8Array(4 * 4 * 3).fill(1);
  resizeInto(flat(2, 2, 50), { width: 2, height: 2, pixels, stride: 12, offset: 12 + 3 });
  expect(levels({ width: 4, height: 4, pixels })).toEqual([
    [1, 1, 1, 1],
    [1, 50, 50, 1],
    [1, 50, 50, 1],
    [1, 1, 1, 1],
  ]);
});
