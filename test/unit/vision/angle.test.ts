import { expect, test } from '@jest/globals';
import { readAngle } from '../../../src/vision/angle.ts';

test('72 bins are five degrees each; the reading is where the bin starts', () => {
  const bins = new Float32Array(72);
  bins[71] = 0.5;
  expect(readAngle(bins)).toEqual({ degrees: 355, score: 0.5 });
});

test('the first of equal bins', () => {
  const bins = new Float32Array(72);
  bins[10] = 0.25;
  bins[40] = 0.25;
  expect(readAngle(bins)).toEqual({ degrees: 50, score: 0.25 });
});

test('another number of bins', () => {
  expect(readAngle([0.1, 0.2, 0.3, 0.4])).toEqual({ degrees: 270, score: 0.4 });
});
