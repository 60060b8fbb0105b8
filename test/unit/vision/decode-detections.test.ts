import { describe, expect, test } from '@jest/globals';
import { decodeDetections, type DecodeSettings } from '../../../src/vision/decode-detections.ts';
import { boxIou } from '../../../src/vision/iou.ts';
import { numbers } from './pictures.ts';

type Row = readonly [cx: number, cy: number, w: number, h: number, person: number, face: number];

const SETTINGS = { classes: 2, confidence: 0.4, iou: 0.7, maxDetections: 300 };

function decode(rows: readonly Row[], settings: Partial<DecodeSettings> = {}) {
  const raw = new Float32Array(rows.length * 6);
  rows.forEach((row, anchor) => row.forEach((value, k) => (raw[k * rows.length + anchor] = value)));
  return decodeDetections(raw, { ...SETTINGS, anchors: rows.length, ...settings });
}

const anchors = (found: ReturnType<typeof decode>): number[] => found.map(({ anchor }) => anchor);

test('centre and size become edges', () => {
  expect(decode([[100, 50, 20, 10, 0.75, 0.25]])).toEqual([
    { box: { x1: 90, y1: 45, x2: 110, y2: 55 }, score: 0.75, classIndex: 0, anchor: 0 },
  ]);
});

test('a score equal to the limit in single precision is dropped', () => {
  const above = Math.fround(0.4) + 2 ** -25;
  expect(
    anchors(
      decode([
        [9, 9, 4, 4, 0.4, 0],
        [90, 90, 4, 4, above, 0],
      ]),
    ),
  ).toEqual([1]);
});

test('the better class, the first of equal ones', () => {
  const found = decode([
    [9, 9, 4, 4, 0.5, 0.75],
    [90, 90, 4, 4, 0.6, 0.6],
  ]);
  expect(found.map(({ anchor, classIndex }) => [anchor, classIndex])).toEqual([
    [0, 1],
    [1, 0],
  ]);
});

describe('suppression', () => {
  test('an IoU of exactly the limit is kept, above it is not', () => {
    // 10 x 10 and 10 x 7 inside it: IoU 0.7.
    const rows: Row[] = [
      [5, 5, 10, 10, 0.9, 0],
      [5, 3.5, 10, 7, 0.8, 0],
    ];
    expect(boxIou({ x1: 0, y1: 0, x2: 10, y2: 10 }, { x1: 0, y1: 0, x2: 10, y2: 7 })).toBe(0.7);
    expect(anchors(decode(rows))).toEqual([0, 1]);
    expect(anchors(decode(rows, { iou: 0.69 }))).toEqual([0]);
  });

  test('classes do not suppress each other', () => {
    expect(
      anchors(
        decode([
          [5, 5, 10, 10, 0.9, 0],
          [5, 5, 10, 10, 0, 0.8],
        ]),
      ),
    ).toEqual([0, 1]);
  });

  test('a suppressed box suppresses nobody', () => {
    // Each overlaps the next one by 0.8, but the first and the last by 0.64.
    const rows: Row[] = [
      [50, 50, 100, 100, 0.9, 0],
      [50, 40, 100, 80, 0.8, 0],
      [50, 32, 100, 64, 0.7, 0],
    ];
    expect(anchors(decode(rows))).toEqual([0, 2]);
  });
});

test('descending score, equal scores by anchor, however many there are', () => {
  const rows = Array.from({ length: 200 }, (_, i): Row => [i * 20, 0, 10, 10, [0.5, 0.75][i % 2]!, 0]);
  const expected = [...rows.keys()].sort((a, b) => (b % 2) - (a % 2) || a - b);
  expect(anchors(decode(rows))).toEqual(expected);
});

test('no more than asked for, the best ones', () => {
  const rows = Array.from({ length: 50 }, (_, i): Row => [i * 20, 0, 10, 10, 0.5 + i / 200, 0]);
  expect(anchors(decode(rows, { maxDetections: 3 }))).toEqual([49, 48, 47]);
});

test('nothing found, no anchors, not numbers', () => {
  expect(decode([])).toEqual([]);
  expect(decode([[5, 5, 10, 10, 0.1, 0.1]])).toEqual([]);
  expect(decode([[5, 5, 10, 10, NaN, NaN]])).toEqual([]);
});

test.each([1, 2, 3, 4, 5])('random boxes, seed %i: the kept ones are compatible, the dropped ones covered', (seed) => {
  const next = numbers(seed);
  const rows = Array.from({ length: 120 }, (): Row => [
    next() * 60,
    next() * 60,
    20 + next() * 20,
    20 + next() * 20,
    next(),
    next(),
  ]);
  const found = decode(rows, { iou: 0.5 });
  const sameClass = (a: (typeof found)[number], b: (typeof found)[number]): boolean => a.classIndex === b.classIndex;
  found.forEach((a, i) => {
    const better = found.slice(0, i);
    expect(better.every((b) => b.score >= a.score)).toBe(true);
    expect(better.some((b) => sameClass(a, b) && boxIou(a.box, b.box) > 0.5)).toBe(false);
  });
  const all = decode(rows, { iou: 1 });
  expect(all.length).toBeGreaterThan(found.length);
  const kept = new Set(anchors(found));
  for (const a of all.filter(({ anchor }) => !kept.has(anchor))) {
    const covers = found.filter((b) => b.score >= a.score && sameClass(a, b) && boxIou(a.box, b.box) > 0.5);
    expect(covers.length).toBeGreaterThan(0);
  }
});
