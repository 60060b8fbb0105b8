import { expect } from '@jest/globals';
import { letterboxGeometry } from '../../src/vision/letterbox.ts';
import { createPixelKernel } from '../../src/vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../../src/vision/picture-area.ts';
import { levelsOf } from '../harness/levels-of.ts';
import { letterbox } from '../oracle/letterbox.ts';
import { difference, GoldenGroup, rowsOf, sha256, type RawFile } from '../harness/golden-folder.ts';

interface Case {
  id: string;
  input: { file: string };
  geometry: { gain: number; new_width: number; new_height: number; left: number; top: number };
  expected: RawFile & { rows: number[] };
  full_sha256: string;
}

const planes = createPixelKernel().planes({ width: 640, height: 640 });
planes.reserve(1);

/** The kernel and the oracle of one loop per step, both to the last bit. */
new GoldenGroup<Case>('letterbox').each(async ({ input, geometry, expected, full_sha256 }, files) => {
  const picture = await files.picture(input.file);
  expect(letterboxGeometry(picture.width, picture.height, 640, 640)).toEqual({
    gain: geometry.gain,
    width: geometry.new_width,
    height: geometry.new_height,
    left: geometry.left,
    top: geometry.top,
  });
  planes.letterbox(0, wholeArea(picture), 114);
  for (const boxed of [letterbox(picture, 640, 640, 114), levelsOf(planes.view(1), 640, 640)]) {
    expect(difference(rowsOf(boxed, expected.rows), files.uint8(expected)).max).toBe(0);
    expect(sha256(boxed.pixels)).toBe(full_sha256);
  }
});
