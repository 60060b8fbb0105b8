import { expect, test } from '@jest/globals';
import { letterboxSource, orientationSource, stretchedSource } from '../../../src/vision/crop-source.ts';
import type { Taps } from '../../../src/vision/taps.ts';

const plain = (taps: Taps): number[][] => [taps.low, taps.high, taps.lowWeight, taps.highWeight].map((row) => [...row]);

test('a letterbox reads its window between paddings without a weight', () => {
  const blanks = [{ x1: 0, y1: 0, x2: 1, y2: 2 }];
  const source = letterboxSource({ window: { x1: 10, y1: 20, x2: 12, y2: 24 }, blanks }, { width: 4, height: 4 });
  expect([source.window.x1, source.blanks]).toEqual([10, blanks]);
  expect(plain(source.taps.columns)).toEqual([
    [0, 0, 1, 0],
    [0, 1, 1, 0],
    [0, 2048, 2048, 0],
    [0, 0, 0, 0],
  ]);
  expect(plain(source.taps.rows)[0]).toEqual([0, 1, 2, 3]);
});

test('a stretched window reads two neighbours wherever they are mixed', () => {
  const { taps } = stretchedSource({ x1: 5, y1: 5, x2: 7, y2: 6 }, { width: 4, height: 1 });
  // Positions -0.25, 0.25, 0.75 and 1.25 of two pixels; beyond the border both are the same one.
  expect(plain(taps.columns)).toEqual([
    [0, 0, 0, 1],
    [0, 1, 1, 1],
    [512, 1536, 512, 1536],
    [1536, 512, 1536, 512],
  ]);
});

test('an orientation crop reads the part of its window that lies in the picture', () => {
  // 4 pixels around x = 1, so from -1 to 3 of a picture of 2 columns; rows 2 to 6 of 5.
  const box = { x1: -1, y1: 2, x2: 3, y2: 6 };
  const source = orientationSource({ width: 2, height: 5 }, box, { width: 4, height: 4, scale: 1 });
  expect(source?.window).toEqual({ x1: 0, y1: 2, x2: 2, y2: 5 });
  expect(plain(source!.taps.columns)).toEqual([
    [0, 0, 1, 0],
    [0, 0, 0, 0],
    [0, 32, 32, 0],
    [0, 0, 0, 0],
  ]);
  expect(plain(source!.taps.rows)[2]).toEqual([32, 32, 32, 0]);
});

test('an orientation crop beside the picture reads nothing', () => {
  const box = { x1: 40, y1: 0, x2: 44, y2: 4 };
  expect(orientationSource({ width: 9, height: 9 }, box, { width: 4, height: 4, scale: 1 })).toBeNull();
});
