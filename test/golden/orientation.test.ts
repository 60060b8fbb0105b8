import { expect } from '@jest/globals';
import { readAngle } from '../../src/vision/angle.ts';
import type { Box } from '../../src/vision/box.ts';
import { createPixelKernel } from '../../src/vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../../src/vision/picture-area.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { writePlanes } from '../oracle/write-planes.ts';
import { resizeBilinear } from '../oracle/resize-bilinear.ts';
import { orientationCrop } from '../oracle/orientation-crop.ts';
import { differingBits } from '../harness/differing-bits.ts';
import {
  every,
  expectSamePicture,
  GoldenGroup,
  stridedDifference,
  type PictureRows,
  type RawFile,
  type StridedValues,
} from '../harness/golden-folder.ts';

interface PictureCase {
  id: string;
  input: { file: string };
  expected: { u8: PictureRows; norm_checks: StridedValues };
}

type Case =
  | (PictureCase & { kind: 'resize' })
  | (PictureCase & { kind: 'affine'; bbox_xywh: [number, number, number, number] })
  | { id: string; kind: 'angle'; input: RawFile; expected: { degrees: number[] } };

const NORM = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const planes = createPixelKernel().planes({ width: 192, height: 256 }, NORM);
planes.reserve(1);

new GoldenGroup<Case>('orientation').each(async (c, files) => {
  if (c.kind === 'angle') {
    const bins = files.float32(c.input);
    const width = c.input.shape[1]!;
    const degrees = every(0, width, bins.length).map((i) => readAngle(bins.subarray(i, i + width)).degrees);
    expect(degrees).toEqual(c.expected.degrees);
    return;
  }
  const picture = await files.picture(c.input.file);
  const cut = c.kind === 'resize' ? resizeBilinear(picture, 192, 256) : affine(picture, boxOf(c.bbox_xywh));
  expectSamePicture(cut, c.expected.u8, files);
  const oracle = new Float32Array(3 * 256 * 192);
  writePlanes(cut, oracle, 0, NORM);
  if (c.kind === 'resize') planes.stretch(0, wholeArea(picture));
  else planes.orientation(0, picture, boxOf(c.bbox_xywh), 1.25);
  expect(differingBits(planes.view(1), oracle)).toBe(0);
  expect(stridedDifference(planes.view(1), c.expected.norm_checks, files)).toBeLessThanOrEqual(1e-6);
});

function boxOf([x, y, w, h]: readonly [number, number, number, number]): Box {
  return { x1: x, y1: y, x2: x + w, y2: y + h };
}

function affine(picture: Picture, box: Box): Picture {
  return orientationCrop(picture, box, { width: 192, height: 256, scale: 1.25 });
}
