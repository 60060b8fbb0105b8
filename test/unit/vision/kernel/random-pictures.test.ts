import { expect, test } from '@jest/globals';
import type { Box } from '../../../../src/vision/box.ts';
import { createPixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';
import type { FloatPlanes } from '../../../../src/vision/kernel/float-planes.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { writePlanes } from '../../../oracle/write-planes.ts';
import { differingBits } from '../../../harness/differing-bits.ts';
import { numbers } from '../pictures.ts';
import { isLit } from '../../../oracle/body-crop.ts';
import { letterbox } from '../../../oracle/letterbox.ts';
import { orientationCrop } from '../../../oracle/orientation-crop.ts';
import { padSquare } from '../../../oracle/pad-square.ts';
import { resizeBicubic } from '../../../oracle/resize-bicubic.ts';
import { resizeBilinear } from '../../../oracle/resize-bilinear.ts';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const SCALE = 1.25;

const next = numbers(20_261);
const whole = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
const kernel = createPixelKernel();

/** Sizes of one case; the window is a part of the picture. */
interface Case {
  readonly picture: readonly [number, number];
  readonly target: readonly [number, number];
}

/** Most small, for there are many; strips of both kinds, and up to 300 a side. */
function anyCase(i: number): Case {
  if (i % 10 === 0) return { picture: [whole(1, 300), whole(1, 4)], target: [whole(1, 60), whole(1, 60)] };
  if (i % 10 === 1) return { picture: [whole(1, 4), whole(1, 300)], target: [whole(1, 60), whole(1, 60)] };
  if (i % 10 === 2) return { picture: [whole(1, 300), whole(1, 300)], target: [whole(1, 90), whole(1, 90)] };
  const side = whole(1, 70);
  // Of one size now and then: pictures that need no resize.
  if (i % 10 === 3) return { picture: [side, side], target: [side, side] };
  return { picture: [whole(1, 70), whole(1, 70)], target: [whole(1, 70), whole(1, 70)] };
}

function anyPicture([width, height]: readonly [number, number]): Picture {
  const shared = next() < 0.7;
  const length = width * height * 3;
  const before = shared ? 0 : whole(0, 5);
  const memory = shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length + before + 3);
  const pixels = new Uint8Array(memory, before, length);
  const extreme = next() < 0.3;
  for (let i = 0; i < length; i++) pixels[i] = extreme ? whole(0, 1) * 255 : whole(0, 255);
  return { width, height, pixels };
}

function anyWindow({ width, height }: Picture): Box {
  if (next() < 0.2) return { x1: 0, y1: 0, x2: width, y2: height };
  const [x1, y1] = [whole(0, width - 1), whole(0, height - 1)];
  return { x1, y1, x2: whole(x1 + 1, width), y2: whole(y1 + 1, height) };
}

function anyBlanks({ x1, y1, x2, y2 }: Box): Box[] {
  const side = (length: number) => [whole(0, length), whole(0, length)].sort((a, b) => a - b) as [number, number];
  return Array.from({ length: whole(0, 2) }, () => {
    const [[left, right], [top, bottom]] = [side(x2 - x1), side(y2 - y1)];
    return { x1: left, y1: top, x2: right, y2: bottom };
  });
}

/** The window as a picture of its own, its blanks black. */
function cutOut(frame: Picture, window: Box, blanks: readonly Box[]): Picture {
  const [width, height] = [window.x2 - window.x1, window.y2 - window.y1];
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = ((window.y1 + y) * frame.width + window.x1) * 3;
    pixels.set(frame.pixels.subarray(start, start + width * 3), y * width * 3);
  }
  for (const { x1, y1, x2, y2 } of blanks) {
    for (let y = y1; y < y2; y++) pixels.fill(0, (y * width + x1) * 3, (y * width + x2) * 3);
  }
  return { width, height, pixels };
}

/** Boxes that hang over the picture's border, lie outside, are empty, turned over, or no numbers. */
function anyBox({ width, height }: Picture): Box {
  const at = (length: number): number => next() * length * 2 - length / 2;
  const box = { x1: at(width), y1: at(height), x2: at(width), y2: at(height) };
  const kind = whole(0, 9);
  if (kind === 0) return { ...box, x1: box.x1 + 5000, x2: box.x2 + 5000 };
  if (kind === 1) return { ...box, x2: box.x1, y2: box.y1 };
  if (kind === 2) return { ...box, y1: NaN };
  if (kind === 3) return { ...box, x2: Infinity };
  if (kind === 4) return box;
  const sorted = { x1: Math.min(box.x1, box.x2), x2: Math.max(box.x1, box.x2) };
  return { ...sorted, y1: Math.min(box.y1, box.y2), y2: Math.max(box.y1, box.y2) };
}

test('random pictures become what one loop per step in JavaScript makes of them, to the last bit, in 1,980 comparisons', () => {
  const wrong: string[] = [];
  for (let i = 0; i < 330; i++) {
    const { picture: pictureSize, target } = anyCase(i);
    const [width, height] = target;
    const frame = anyPicture(pictureSize);
    const window = anyWindow(frame);
    const blanks = anyBlanks(window);
    const source = { frame, window, blanks };
    const cut = cutOut(frame, window, blanks);
    const box = anyBox(frame);
    const fill = whole(0, 255);
    const normalisation = i % 2 === 0 ? undefined : IMAGENET;
    const check = (name: string, size: [number, number], expected: Picture, write: (planes: FloatPlanes) => void) => {
      const planes = kernel.planes({ width: size[0], height: size[1] }, normalisation);
      planes.reserve(2);
      write(planes);
      const floats = new Float32Array(3 * size[0] * size[1]);
      writePlanes(expected, floats, 0, normalisation);
      if (differingBits(planes.view(2).subarray(floats.length), floats) === 0) return;
      wrong.push(`case ${i}, ${name}: ${cut.width}x${cut.height} to ${size.join('x')}, ${JSON.stringify({ box })}`);
    };
    check('letterbox', [width, height], letterbox(cut, width, height, fill), (planes) =>
      planes.letterbox(1, source, fill),
    );
    check('stretch', [width, height], resizeBilinear(cut, width, height), (planes) => planes.stretch(1, source));
    check('orientation', [width, height], orientationCrop(frame, box, { width, height, scale: SCALE }), (planes) =>
      planes.orientation(1, frame, box, SCALE),
    );
    const square = resizeBicubic(padSquare(cut), width, width);
    check('square', [width, width], square, (planes) => planes.square(1, source));
    const share = next();
    if (kernel.isLit(source, share) !== isLit(source, share)) wrong.push(`case ${i}, lit to ${share}`);
    if (!Buffer.from(kernel.square(source, width)).equals(square.pixels)) wrong.push(`case ${i}, bytes of the square`);
  }
  expect(wrong).toEqual([]);
});
