import { describe, expect, test } from '@jest/globals';
import type { FloatPlanes } from '../../../../src/vision/kernel/float-planes.ts';
import { createPixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../../../../src/vision/picture-area.ts';
import { flat, grey } from '../pictures.ts';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** The red plane of the first picture, row by row, as levels. */
function levels(planes: FloatPlanes, width: number): number[][] {
  const red = planes.view(1).subarray(0, planes.view(1).length / 3);
  const rows = Array.from({ length: red.length / width }, (_, y) => red.subarray(y * width, (y + 1) * width));
  return rows.map((row) => [...row].map((value) => Math.round(value * 255)));
}

function planesOf(width: number, height: number): FloatPlanes {
  const planes = createPixelKernel().planes({ width, height });
  planes.reserve(1);
  return planes;
}

describe('letterbox', () => {
  test('pads on both sides with the grey', () => {
    const wide = planesOf(4, 4);
    wide.letterbox(0, wholeArea(flat(4, 2, 200)), 114);
    expect(levels(wide, 4)).toEqual([
      [114, 114, 114, 114],
      [200, 200, 200, 200],
      [200, 200, 200, 200],
      [114, 114, 114, 114],
    ]);
    const high = planesOf(3, 3);
    high.letterbox(0, wholeArea(flat(1, 3, 9)), 0);
    expect(levels(high, 3)).toEqual([
      [0, 9, 0],
      [0, 9, 0],
      [0, 9, 0],
    ]);
  });

  test('a strip so thin that nothing is left of it is all padding', () => {
    const planes = planesOf(64, 64);
    planes.letterbox(0, wholeArea(flat(5000, 1, 200)), 114);
    expect(new Set(levels(planes, 64).flat())).toEqual(new Set([114]));
  });

  test('reads the window alone, and its blanks as black', () => {
    const frame = grey([1, 2, 3], [4, 50, 60], [7, 80, 90]);
    const planes = planesOf(2, 2);
    const window = { x1: 1, y1: 1, x2: 3, y2: 3 };
    planes.letterbox(0, { frame, window, blanks: [{ x1: 1, y1: 0, x2: 2, y2: 1 }] }, 0);
    expect(levels(planes, 2)).toEqual([
      [50, 0],
      [80, 90],
    ]);
  });
});

test('channels stay apart, whatever is done to them', () => {
  const frame = { width: 2, height: 2, pixels: Uint8Array.of(0, 100, 200, 0, 100, 200, 0, 100, 200, 0, 100, 200) };
  const kernel = createPixelKernel();
  for (const side of [1, 2, 3, 5, 8, 9]) {
    const planes = kernel.planes({ width: side, height: side });
    planes.reserve(3);
    planes.letterbox(0, wholeArea(frame), 0);
    planes.square(1, wholeArea(frame));
    planes.orientation(2, frame, { x1: 0, y1: 0, x2: 2, y2: 2 }, 0.5);
    const area = side * side;
    const most = (plane: number): number =>
      Math.round(Math.max(...planes.view(3).subarray(plane * area, (plane + 1) * area)) * 255);
    for (const picture of [0, 3, 6]) {
      expect(most(picture)).toBe(0);
      // A resize may lose a level at the upper and lower border.
      expect([99, 100]).toContain(most(picture + 1));
      expect([199, 200]).toContain(most(picture + 2));
    }
  }
});

test('black is a picture like any other', () => {
  const planes = createPixelKernel().planes({ width: 2, height: 1 }, IMAGENET);
  planes.reserve(1);
  planes.black(0);
  const [red, green, blue] = [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225] as const;
  expect(planes.view(1)).toEqual(Float32Array.of(red, red, green, green, blue, blue));
});

describe('the share that is lit', () => {
  const kernel = createPixelKernel();
  const frame = grey([0, 5, 5, 0], [0, 5, 5, 0]);
  const window = { x1: 1, y1: 0, x2: 4, y2: 2 };

  test('counts the bytes of the window that are not black', () => {
    expect(kernel.isLit({ frame, window }, 4 / 6)).toBe(true);
    expect(kernel.isLit({ frame, window }, 4 / 6 + 0.01)).toBe(false);
  });

  test('and not those under a blank, which are counted once where blanks lie over each other', () => {
    const blank = { x1: 0, y1: 0, x2: 1, y2: 2 };
    expect(kernel.isLit({ frame, window, blanks: [blank, blank] }, 2 / 6)).toBe(true);
    expect(kernel.isLit({ frame, window, blanks: [blank, blank] }, 2 / 6 + 0.01)).toBe(false);
  });

  test('counts whole rows, also long ones', () => {
    const wide = flat(1001, 3, 1);
    wide.pixels[3003 * 2 + 3002] = 0;
    expect(kernel.isLit(wholeArea(wide), 9008 / 9009)).toBe(true);
    expect(kernel.isLit(wholeArea(wide), 1)).toBe(false);
  });
});

describe('memory', () => {
  test('planes that were written stay readable when other work needs more of it', () => {
    const kernel = createPixelKernel();
    const planes = kernel.planes({ width: 2, height: 2 });
    planes.reserve(1);
    planes.letterbox(0, wholeArea(flat(2, 2, 255)), 0);
    const before = planes.view(1);
    kernel.planes({ width: 512, height: 512 }).reserve(4);
    // A view is of the memory as it was: it is asked for when everything is written.
    expect(before).toHaveLength(0);
    expect(planes.view(1)).toEqual(new Float32Array(12).fill(1));
  });

  test('grows with the longest side and the largest batch, not with the pixels', () => {
    const kernel = createPixelKernel();
    const planes = kernel.planes({ width: 64, height: 64 });
    planes.reserve(1);
    const read = (width: number, height: number): number => {
      planes.letterbox(0, wholeArea(flat(width, height, 7)), 0);
      planes.square(0, wholeArea(flat(width, height, 7)));
      return kernel.memoryBytes();
    };
    read(2000, 2);
    const once = read(2, 2000);
    for (let i = 0; i < 50; i++) expect(read(50 + i * 10, 700 - i * 10)).toBe(once);
    expect(read(2000, 2000)).toBe(once);
    expect(once).toBeLessThan(1024 * 1024);
  });

  test('a place that was not reserved is refused', () => {
    const planes = createPixelKernel().planes({ width: 1, height: 1 });
    expect(() => planes.black(0)).toThrow(RangeError);
    expect(() => planes.view(1)).toThrow(RangeError);
  });
});
