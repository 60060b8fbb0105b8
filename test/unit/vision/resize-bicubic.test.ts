import { expect, test } from '@jest/globals';
import { resizeBicubic } from '../../oracle/resize-bicubic.ts';
import { flat, grey, levels } from './pictures.ts';

test('twice as wide, by hand: weights -0.0703125, 0.8671875, 0.2265625, -0.0234375', () => {
  const [row] = levels(resizeBicubic(grey([10, 20, 40, 80]), 8, 1));
  // Target 4 lies at 1.75: -0.0234375 * 10 + 0.2265625 * 20 + 0.8671875 * 40 - 0.0703125 * 80 = 33.359.
  expect(row?.[4]).toBe(33);
  // Target 3 lies at 1.25: -0.0703125 * 10 + 0.8671875 * 20 + 0.2265625 * 40 - 0.0234375 * 80 = 23.828.
  expect(row?.[3]).toBe(24);
});

test('the overshoot at an edge is clipped to 0..255', () => {
  const [row] = levels(resizeBicubic(grey([0, 0, 0, 255, 255, 255]), 12, 1));
  expect(Math.min(...row!)).toBe(0);
  expect(Math.max(...row!)).toBe(255);
  const [grown] = levels(resizeBicubic(grey([100, 100, 100, 200, 200, 200]), 12, 1));
  expect(Math.min(...grown!)).toBeLessThan(100);
  expect(Math.max(...grown!)).toBeGreaterThan(200);
});

test('reduction is antialiased: a fine checkerboard becomes grey', () => {
  const board = Array.from({ length: 32 }, (_, y) => Array.from({ length: 32 }, (_, x) => ((x + y) % 2) * 255));
  for (const level of levels(resizeBicubic(grey(...board), 4, 4)).flat()) {
    expect(Math.abs(level - 127.5)).toBeLessThanOrEqual(4);
  }
});

test('flat pictures stay flat, at any size', () => {
  for (const [width, height] of [
    [1, 1],
    [13, 200],
    [200, 7],
  ] as const) {
    const { pixels } = resizeBicubic(flat(31, 17, 255), width, height);
    expect(pixels).toHaveLength(width * height * 3);
    expect(pixels.every((level) => level === 255)).toBe(true);
  }
});

test('columns are treated as rows are', () => {
  const row = levels(resizeBicubic(grey([10, 20, 40, 80, 7]), 3, 1))[0];
  const column = levels(resizeBicubic(grey([10], [20], [40], [80], [7]), 1, 3)).flat();
  expect(column).toEqual(row);
});

test('channels stay apart', () => {
  const pixels = Uint8Array.of(0, 100, 200, 0, 100, 200, 0, 100, 200);
  expect([...resizeBicubic({ width: 3, height: 1, pixels }, 1, 1).pixels]).toEqual([0, 100, 200]);
});

test('an equal size is not copied', () => {
  const picture = flat(4, 3, 1);
  expect(resizeBicubic(picture, 4, 3)).toBe(picture);
});
