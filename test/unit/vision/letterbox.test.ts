import { describe, expect, test } from '@jest/globals';
import { fromLetterbox, letterboxGeometry } from '../../../src/vision/letterbox.ts';
import { letterbox } from '../../oracle/letterbox.ts';
import { flat, levels } from './pictures.ts';

describe('geometry', () => {
  test.each([
    // A side that ends in .5 goes to the even number.
    [1280, 721, { gain: 0.5, width: 640, height: 360, left: 0, top: 140 }],
    [1920, 1080, { gain: 1 / 3, width: 640, height: 360, left: 0, top: 140 }],
    // Small pictures are enlarged.
    [64, 32, { gain: 10, width: 640, height: 320, left: 0, top: 160 }],
    // An odd rest of padding: the smaller half goes first.
    [9, 300, { gain: 640 / 300, width: 19, height: 640, left: 310, top: 0 }],
    [640, 640, { gain: 1, width: 640, height: 640, left: 0, top: 0 }],
  ])('%d x %d into 640 x 640', (width, height, expected) => {
    expect(letterboxGeometry(width, height, 640, 640)).toEqual(expected);
  });

  test('a target that is not square', () => {
    expect(letterboxGeometry(100, 100, 640, 384)).toEqual({ gain: 3.84, width: 384, height: 384, left: 128, top: 0 });
  });
});

test('pads on both sides with the grey', () => {
  expect(levels(letterbox(flat(4, 2, 200), 4, 4, 114))).toEqual([
    [114, 114, 114, 114],
    [200, 200, 200, 200],
    [200, 200, 200, 200],
    [114, 114, 114, 114],
  ]);
  expect(levels(letterbox(flat(1, 3, 9), 3, 3, 0))).toEqual([
    [0, 9, 0],
    [0, 9, 0],
    [0, 9, 0],
  ]);
});

test('a picture of the right size is taken as it is', () => {
  const picture = flat(8, 8, 5);
  expect(letterbox(picture, 8, 8, 114)).toBe(picture);
});

test('a strip so thin that nothing is left of it is all padding', () => {
  const boxed = letterbox(flat(5000, 1, 200), 640, 640, 114);
  expect([boxed.width, boxed.height]).toEqual([640, 640]);
  expect(boxed.pixels.every((level) => level === 114)).toBe(true);
});

describe('back to the source', () => {
  test('takes off the padding, divides by the gain', () => {
    expect(fromLetterbox({ x1: 0, y1: 140, x2: 320, y2: 320 }, 1280, 720, 640, 640)).toEqual({
      x1: 0,
      y1: 0,
      x2: 640,
      y2: 360,
    });
  });

  test('clips to the source', () => {
    expect(fromLetterbox({ x1: -20, y1: 0, x2: 700, y2: 640 }, 1280, 720, 640, 640)).toEqual({
      x1: 0,
      y1: 0,
      x2: 1280,
      y2: 720,
    });
  });

  test.each([
    [1920, 1080],
    [333, 517],
    [37, 23],
    [9, 300],
  ])('%d x %d: a box comes back to within the rounding of the padding', (width, height) => {
    const { gain, left, top } = letterboxGeometry(width, height, 640, 640);
    const box = { x1: width * 0.2, y1: height * 0.3, x2: width * 0.6, y2: height * 0.9 };
    const boxed = {
      x1: box.x1 * gain + left,
      y1: box.y1 * gain + top,
      x2: box.x2 * gain + left,
      y2: box.y2 * gain + top,
    };
    const back = fromLetterbox(boxed, width, height, 640, 640);
    const slack = 1 / gain;
    for (const side of ['x1', 'y1', 'x2', 'y2'] as const) {
      expect(Math.abs(back[side] - box[side])).toBeLessThanOrEqual(slack);
    }
  });
});
