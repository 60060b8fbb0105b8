import { expect } from '@jest/globals';
import { letterboxGeometry } from '../../src/vision/letterbox.ts';
import { letterbox } from '../oracle/letterbox.ts';
import { difference, GoldenGroup, rowsOf, sha256, type RawFile } from '../harness/golden-folder.ts';

interface Case {
  id: string;
  input: { file: string };
  geometry: { gain: number; new_width: number; new_height: number; left: number; top: number };
  expected: RawFile & { rows: number[] };
  full_sha256: string;
}

new GoldenGroup<Case>('letterbox').each(async ({ input, geometry, expected, full_sha256 }, files) => {
  const picture = await files.picture(input.file);
  expect(letterboxGeometry(picture.width, picture.height, 640, 640)).toEqual({
    gain: geometry.gain,
    width: geometry.new_width,
    height: geometry.new_height,
    left: geometry.left,
    top: geometry.top,
  });
  const boxed = letterbox(picture, 640, 640, 114);
  expect(difference(rowsOf(boxed, expected.rows), files.uint8(expected)).max).toBe(0);
  expect(sha256(boxed.pixels)).toBe(full_sha256);
});
