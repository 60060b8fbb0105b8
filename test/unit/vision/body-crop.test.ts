import { describe, expect, test } from '@jest/globals';
import { type ClassedBox } from '../../../src/vision/body-crop.ts';
import { bodyCrop, faceCrop } from '../../oracle/body-crop.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { flat } from './pictures.ts';

const frame = flat(300, 300, 200);
const person = (x1: number, y1: number, x2: number, y2: number): ClassedBox => ({
  class: 'person',
  box: { x1, y1, x2, y2 },
});
const face = (x1: number, y1: number, x2: number, y2: number): ClassedBox => ({
  class: 'face',
  box: { x1, y1, x2, y2 },
});

/** The smallest box around what was painted black, and how many pixels are. */
function blank(picture: Picture | null): { box: number[]; pixels: number } {
  const xs: number[] = [];
  const ys: number[] = [];
  picture?.pixels.forEach((level, i) => {
    if (level !== 0 || i % 3 !== 0) return;
    const pixel = i / 3;
    xs.push(pixel % picture.width);
    ys.push(Math.floor(pixel / picture.width));
  });
  if (xs.length === 0) return { box: [], pixels: 0 };
  return { box: [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1], pixels: xs.length };
}

test('a person alone is the plain crop', () => {
  const body = bodyCrop(frame, [person(10.7, 20.2, 110.9, 220.9)], 0);
  expect([body?.width, body?.height, blank(body).pixels]).toEqual([100, 200, 0]);
});

test('the own face is blanked, in crop pixels, without reaching for the border', () => {
  const body = bodyCrop(frame, [person(100, 100, 200, 200), face(110, 105, 150, 140)], 0);
  expect(blank(body)).toEqual({ box: [10, 5, 50, 40], pixels: 40 * 35 });
});

describe('another person', () => {
  test('in the middle blanks just its box', () => {
    const body = bodyCrop(frame, [person(100, 100, 200, 200), person(130, 130, 170, 170)], 0);
    expect(blank(body).box).toEqual([30, 30, 70, 70]);
  });

  test('closer than 30 % to an edge blanks up to that edge', () => {
    const body = bodyCrop(frame, [person(100, 100, 200, 200), person(129, 140, 165, 171)], 0);
    expect(blank(body).box).toEqual([0, 40, 65, 100]);
  });

  test('a person that reaches beyond the crop is cut to it', () => {
    const body = bodyCrop(frame, [person(100, 100, 200, 200), person(160, 140, 290, 290)], 0);
    expect(blank(body).box).toEqual([60, 40, 100, 100]);
  });

  test('beside the crop, touching it, blanks nothing', () => {
    const body = bodyCrop(frame, [person(100, 100, 200, 200), person(200, 100, 290, 200)], 0);
    expect(blank(body).pixels).toBe(0);
  });

  test('is blanked wherever it stands in the list', () => {
    const body = bodyCrop(frame, [person(130, 130, 170, 170), person(100, 100, 200, 200)], 1);
    expect(blank(body).box).toEqual([30, 30, 70, 70]);
  });
});

describe('a body is missing', () => {
  test.each([
    ['49 wide', person(10, 10, 59, 200)],
    ['49 high', person(10, 10, 200, 59)],
    ['mostly outside', person(260, 10, 500, 290)],
    ['without size', person(10, 10, 10, 10)],
  ])('%s', (_name, small) => {
    expect(bodyCrop(frame, [small], 0)).toBeNull();
  });

  test('below 40 % left; exactly 40 % is enough', () => {
    const subject = person(100, 100, 200, 200);
    expect(bodyCrop(frame, [subject, face(100, 100, 160, 200)], 0)).not.toBeNull();
    expect(bodyCrop(frame, [subject, face(100, 100, 161, 200)], 0)).toBeNull();
  });

  test('in a picture that is black there', () => {
    expect(bodyCrop(flat(300, 300, 0), [person(100, 100, 200, 200)], 0)).toBeNull();
  });

  test('when the index is none', () => {
    expect(bodyCrop(frame, [person(100, 100, 200, 200)], 3)).toBeNull();
  });
});

test('50 x 50 is large enough', () => {
  expect(bodyCrop(frame, [person(10, 10, 60, 60)], 0)).not.toBeNull();
});

test('the frame is not painted', () => {
  bodyCrop(frame, [person(100, 100, 200, 200), face(110, 105, 150, 140)], 0);
  expect(frame.pixels.every((level) => level === 200)).toBe(true);
});

test('faces have no smallest size but one pixel', () => {
  expect(faceCrop(frame, { x1: 3, y1: 3, x2: 4, y2: 4 })).toMatchObject({ width: 1, height: 1 });
  expect(faceCrop(frame, { x1: 3, y1: 3, x2: 3.9, y2: 9 })).toBeNull();
});
