import { expect } from '@jest/globals';
import { padSquare } from '../oracle/pad-square.ts';
import { createPixelKernel } from '../../src/vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../../src/vision/picture-area.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { resizeBicubic } from '../oracle/resize-bicubic.ts';
import { difference, every, GoldenGroup, rowsOf, sha256, type RawFile } from '../harness/golden-folder.ts';

interface Expected {
  rows: RawFile & { row_index: number[] };
  grid?: RawFile & { start_y: number; start_x: number; step: number };
  full?: RawFile;
  sha256: string;
}

interface Case {
  id: string;
  input: { file: string };
  padded: { size: number; offset_x: number; offset_y: number };
  expected: Record<string, Expected>;
}

const kernel = createPixelKernel();

/** The kernel and the oracle of one loop per step, both to the last bit. */
new GoldenGroup<Case>('vlm_preprocess').each(async (c, files) => {
  const picture = await files.picture(c.input.file);
  const square = padSquare(picture);
  const { size, offset_x: left, offset_y: top } = c.padded;
  expect([square.width, square.height]).toEqual([size, size]);
  const inside = every(top, 1, top + picture.height).map((y) =>
    square.pixels.subarray((y * size + left) * 3, (y * size + left + picture.width) * 3),
  );
  expect(Buffer.compare(Buffer.concat(inside), picture.pixels)).toBe(0);
  for (const [target, expected] of Object.entries(c.expected)) {
    const resized = resizeBicubic(square, Number(target), Number(target));
    const exact = (actual: ArrayLike<number>, raw: RawFile): void =>
      expect(difference(actual, files.uint8(raw)).max).toBe(0);
    exact(rowsOf(resized, expected.rows.row_index), expected.rows);
    if (expected.grid !== undefined) exact(gridOf(resized, expected.grid), expected.grid);
    if (expected.full !== undefined) exact(resized.pixels, expected.full);
    expect(sha256(resized.pixels)).toBe(expected.sha256);
    expect(sha256(kernel.square(wholeArea(picture), Number(target)))).toBe(expected.sha256);
  }
});

function gridOf(picture: Picture, grid: { start_y: number; start_x: number; step: number }): number[] {
  const { width, height, pixels } = picture;
  return every(grid.start_y, grid.step, height).flatMap((y) =>
    every(grid.start_x, grid.step, width).flatMap((x) => [
      ...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
    ]),
  );
}
