import { expect, test } from '@jest/globals';
import { boxArea, boxIou, intersectionArea } from '../../../src/vision/iou.ts';

const box = (x1: number, y1: number, x2: number, y2: number) => ({ x1, y1, x2, y2 });

test('half of two equal boxes shared: a third of the union', () => {
  expect(intersectionArea(box(0, 0, 10, 10), box(5, 0, 15, 10))).toBe(50);
  expect(boxIou(box(0, 0, 10, 10), box(5, 0, 15, 10))).toBe(50 / 150);
});

test('a box inside another', () => {
  expect(boxIou(box(0, 0, 10, 10), box(2, 2, 4, 4))).toBe(0.04);
  expect(boxIou(box(1, 2, 3, 4), box(1, 2, 3, 4))).toBe(1);
});

test('boxes that only touch, or lie apart, share nothing', () => {
  expect(intersectionArea(box(0, 0, 10, 10), box(10, 0, 20, 10))).toBe(0);
  // Apart on both axes: two negative sides must not make an area.
  expect(intersectionArea(box(0, 0, 1, 1), box(5, 5, 6, 6))).toBe(0);
  expect(boxIou(box(0, 0, 1, 1), box(5, 5, 6, 6))).toBe(0);
});

test('empty and inverted boxes have no area, and no IoU, not NaN', () => {
  expect(boxArea(box(3, 3, 3, 9))).toBe(0);
  expect(boxArea(box(9, 9, 3, 3))).toBe(0);
  expect(boxIou(box(3, 3, 3, 9), box(3, 3, 3, 9))).toBe(0);
});
