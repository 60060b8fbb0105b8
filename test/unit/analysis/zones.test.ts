import { describe, expect, test } from '@jest/globals';
import { findOverlaps } from '../../../src/analysis/overlaps.ts';
import { angleBetween, parseZonePlan, THIRDS, zoneOf } from '../../../src/analysis/zones.ts';

const picture = { width: 1000, height: 500 };
const at = (x: number) => ({ x1: x - 50, y1: 100, x2: x + 50, y2: 400 });

test('thirds of the picture by the middle of the person', () => {
  expect([0, 332, 334, 666, 668, 999].map((x) => zoneOf(THIRDS, at(x), null, picture))).toEqual([
    'left',
    'left',
    'centre',
    'centre',
    'right',
    'right',
  ]);
});

describe('the counter', () => {
  const plan = parseZonePlan(
    JSON.stringify({
      zones: THIRDS.zones,
      counter: { area: { x1: 0.5, y1: 0, x2: 0.8, y2: 1 }, facing: { degrees: 350, tolerance: 30 } },
    }),
    'zones.json',
  );

  test('needs most of the person inside and turned to it', () => {
    expect(zoneOf(plan, at(600), 10, picture)).toBe('counter');
    expect(zoneOf(plan, at(600), 20, picture)).toBe('counter');
    expect(zoneOf(plan, at(600), 25, picture)).toBe('centre');
    expect(zoneOf(plan, at(600), null, picture)).toBe('centre');
    expect(zoneOf(plan, at(530), 0, picture)).toBe('counter');
    expect(zoneOf(plan, at(529), 0, picture)).toBe('centre');
  });
});

test('a wrong zones file names every wrong field', () => {
  const text = JSON.stringify({ zones: [{ name: '', area: { x1: 0, y1: 0, x2: 2, y2: 1 } }], counters: [] });
  expect(() => parseZonePlan(text, 'z.json')).toThrow(/z\.json.*zones\.0\.name.*zones\.0\.area\.x2/);
  expect(() => parseZonePlan('left', 'z.json')).toThrow('z.json is not JSON');
  const inverted = JSON.stringify({ zones: [{ name: 'a', area: { x1: 0.5, y1: 0, x2: 0.5, y2: 1 } }] });
  expect(() => parseZonePlan(inverted, 'z.json')).toThrow('x1 < x2');
});

test('directions differ by the shorter way round', () => {
  expect([angleBetween(350, 10), angleBetween(0, 180), angleBetween(90, 90)]).toEqual([20, 180, 0]);
});

test('overlaps are listed once, smaller id first, above the threshold', () => {
  const boxes = [
    { track: 2, box: { x1: 0, y1: 0, x2: 100, y2: 100 } },
    { track: 1, box: { x1: 50, y1: 0, x2: 150, y2: 100 } },
    { track: 3, box: { x1: 149, y1: 99, x2: 249, y2: 199 } },
  ];
  expect(findOverlaps(boxes, 0.01)).toEqual([{ a: 1, b: 2, iou: 0.3333 }]);
});
