import { expect } from '@jest/globals';
import { readAngle } from '../../src/vision/angle.ts';
import { writePlanes } from '../../src/vision/planes.ts';
import { resizeBilinear } from '../../src/vision/resize-bilinear.ts';
import { orientationCrop } from '../../src/vision/warp-affine.ts';
import {
  difference,
  every,
  expectSamePicture,
  GoldenGroup,
  rowsOf,
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

new GoldenGroup<Case>('orientation').each(async (c, files) => {
  if (c.kind === 'angle') {
    const bins = files.float32(c.input);
    const width = c.input.shape[1]!;
    const degrees = every(0, width, bins.length).map((i) => readAngle(bins.subarray(i, i + width)).degrees);
    expect(degrees).toEqual(c.expected.degrees);
    return;
  }
  const picture = await files.picture(c.input.file);
  const planes = new Float32Array(3 * 256 * 192);
  if (c.kind === 'resize') {
    const resized = resizeBilinear(picture, 192, 256);
    expectSamePicture(resized, c.expected.u8, files);
    writePlanes(resized, planes, 0, NORM);
    expect(stridedDifference(planes, c.expected.norm_checks, files)).toBeLessThanOrEqual(1e-6);
    return;
  }
  const [x, y, w, h] = c.bbox_xywh;
  const box = { x1: x, y1: y, x2: x + w, y2: y + h };
  const warped = orientationCrop(picture, box, { width: 192, height: 256, scale: 1.25 });
  const { u8 } = c.expected;
  const delta = difference(rowsOf(warped, every(u8.start_row, u8.row_step, 256)), files.uint8(u8));
  // The last bits of the reference's matrix may move a position by a 1/32 step.
  expect(delta.max).toBeLessThanOrEqual(1);
  expect(delta.mean).toBeLessThanOrEqual(0.001);
  writePlanes(warped, planes, 0, NORM);
  expect(stridedDifference(planes, c.expected.norm_checks, files)).toBeLessThanOrEqual(0.0176);
});
