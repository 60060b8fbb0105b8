import { expect, test } from '@jest/globals';
import { letterboxSource, orientationSource } from '../../../src/vision/crop-source.ts';
import { leanCrop } from '../../../src/vision/lines-read.ts';
import { seededRandom } from '../../chaos/random.ts';

test('of a window made smaller only the lines with a weight are named, and positions count in them', () => {
  const read = leanCrop(
    letterboxSource({ window: { x1: 3, y1: 5, x2: 11, y2: 13 }, blanks: [] }, { width: 2, height: 2 }),
  );
  expect(read.lines).toEqual([1, 2, 5, 6]);
  expect([...read.rows.low, ...read.rows.high]).toEqual([0, 2, 1, 3]);
});

test('a window made larger has all its lines', () => {
  const window = { x1: 0, y1: 0, x2: 3, y2: 3 };
  const read = leanCrop(letterboxSource({ window, blanks: [{ x1: 1, y1: 1, x2: 2, y2: 3 }] }, { width: 9, height: 9 }));
  expect(read.lines).toEqual([0, 1, 2]);
  expect(read.blanks).toEqual([{ x1: 1, y1: 1, x2: 2, y2: 3 }]);
});

test('a window that is shrunk to nothing still has a line', () => {
  const window = { x1: 0, y1: 0, x2: 4000, y2: 1 };
  const read = leanCrop(letterboxSource({ window, blanks: [] }, { width: 4, height: 4 }));
  expect([read.lines, [...read.rows.lowWeight, ...read.rows.highWeight].every((weight) => weight === 0)]).toEqual([
    [0],
    true,
  ]);
});

test('every place of the target reads the same lines, inside the same rectangles', () => {
  const random = seededRandom(11);
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  for (let round = 0; round < 300; round++) {
    const [width, height] = [between(1, 60), between(1, 400)];
    const window = { x1: 0, y1: 0, x2: width, y2: height };
    const blanks = Array.from({ length: between(0, 3) }, () => {
      const y1 = between(0, height);
      return { x1: 0, y1, x2: width, y2: between(y1, height) };
    });
    const target = { width: between(1, 20), height: between(1, 40) };
    const box = { x1: between(-9, 30), y1: between(-9, 200), x2: between(31, 90), y2: between(201, 420) };
    const source =
      round % 2 === 0
        ? letterboxSource({ window, blanks }, target)
        : orientationSource({ width: 100, height: 430 }, box, { ...target, scale: 1.25 });
    if (source === null) continue;
    const read = leanCrop(source);
    const inside = (areas: readonly { y1: number; y2: number }[], y: number) =>
      areas.map(({ y1, y2 }) => y >= y1 && y < y2);
    const { rows } = source.taps;
    for (const [name, weight] of [
      ['low', 'lowWeight'],
      ['high', 'highWeight'],
    ] as const) {
      rows[name].forEach((line, i) => {
        if (rows[weight][i] === 0) return;
        const place = read.rows[name][i] ?? -1;
        expect(read.lines[place]).toBe(line);
        expect(inside(read.blanks, place)).toEqual(inside(source.blanks, line));
      });
    }
    expect([read.rows.lowWeight, read.rows.highWeight]).toEqual([rows.lowWeight, rows.highWeight]);
  }
});
