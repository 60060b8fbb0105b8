import { expect, test } from '@jest/globals';
import type { Box } from '../../../../src/vision/box.ts';
import type { ModuleMemory } from '../../../../src/vision/kernel/kernel-exports.ts';
import { createPixelKernel, type PixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';
import type { Normalisation } from '../../../../src/vision/levels.ts';
import type { FloatPlanes } from '../../../../src/vision/kernel/float-planes.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { writePlanes } from '../../../oracle/write-planes.ts';
import { differingBits } from '../../../harness/differing-bits.ts';
import { numbers } from '../pictures.ts';
import { MarkedMemory, TightMemory } from './watched-memory.ts';
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

interface Comparison {
  readonly frame: Picture;
  readonly window: Box;
  readonly target: readonly [number, number];
  readonly normalisation?: Normalisation | undefined;
}

/** The reference would need the whole square. */
const LONGEST_SQUARE = 2_000;

/** What comes out otherwise than from one loop per step in JavaScript. `kernelOf` gives the kernel of each step. */
function differences(kernelOf: () => PixelKernel, { frame, window, target, normalisation }: Comparison): string[] {
  const [width, height] = target;
  const blanks = anyBlanks(window);
  const source = { frame, window, blanks };
  const cut = cutOut(frame, window, blanks);
  const box = anyBox(frame);
  const fill = whole(0, 255);
  const wrong: string[] = [];
  const write = (size: readonly [number, number], step: (planes: FloatPlanes) => void): FloatPlanes => {
    const planes = kernelOf().planes({ width: size[0], height: size[1] }, normalisation);
    planes.reserve(2);
    step(planes);
    return planes;
  };
  const check = (
    name: string,
    size: readonly [number, number],
    expected: Picture,
    step: (planes: FloatPlanes) => void,
  ) => {
    const planes = write(size, step);
    const floats = new Float32Array(3 * size[0] * size[1]);
    writePlanes(expected, floats, 0, normalisation);
    if (differingBits(planes.view(2).subarray(floats.length), floats) === 0) return;
    wrong.push(`${name}: ${cut.width}x${cut.height} to ${size.join('x')}, ${JSON.stringify({ box })}`);
  };
  check('letterbox', target, letterbox(cut, width, height, fill), (planes) => planes.letterbox(1, source, fill));
  check('stretch', target, resizeBilinear(cut, width, height), (planes) => planes.stretch(1, source));
  check('orientation', target, orientationCrop(frame, box, { width, height, scale: SCALE }), (planes) =>
    planes.orientation(1, frame, box, SCALE),
  );
  const share = next();
  if (kernelOf().isLit(source, share) !== isLit(source, share)) wrong.push(`lit to ${share}`);
  if (Math.max(cut.width, cut.height) > LONGEST_SQUARE) {
    // A row takes as long as the square is wide.
    if (cut.height < 100) {
      kernelOf().square(source, width);
      write([width, width], (planes) => planes.square(1, source));
    }
    return wrong;
  }
  const bytes = kernelOf().square(source, width);
  const square = resizeBicubic(padSquare(cut), width, width);
  check('square', [width, width], square, (planes) => planes.square(1, source));
  if (!Buffer.from(bytes).equals(square.pixels)) wrong.push('bytes of the square');
  return wrong;
}

function anyComparison(i: number): Comparison {
  const { picture, target } = anyCase(i);
  const frame = anyPicture(picture);
  return { frame, window: anyWindow(frame), target, normalisation: i % 2 === 0 ? undefined : IMAGENET };
}

test('random pictures become what one loop per step in JavaScript makes of them, to the last bit, in 1,980 comparisons', () => {
  const kernel = createPixelKernel();
  const wrong: string[] = [];
  for (let i = 0; i < 330; i++) {
    wrong.push(...differences(() => kernel, anyComparison(i)).map((text) => `case ${i}, ${text}`));
  }
  expect(wrong).toEqual([]);
});

/** New kernels, whose rooms are looked at when all is written. */
function markedKernels(bandBytes?: number): { readonly create: () => PixelKernel; readonly broken: () => number } {
  const memories: MarkedMemory[] = [];
  const memoryOf = (memory: ModuleMemory, from: number): MarkedMemory => {
    const marked = new MarkedMemory(memory, from);
    memories.push(marked);
    return marked;
  };
  return {
    create: () => createPixelKernel({ memoryOf, bandBytes }),
    broken: () => memories.reduce((sum, { broken }) => sum + broken, 0),
  };
}

/** All of it, its last row, its last column, and its last pixel. */
function borders({ width, height }: Picture): Box[] {
  const [x2, y2] = [width, height];
  return [0, width - 1].flatMap((x1) => [0, height - 1].map((y1) => ({ x1, y1, x2, y2 })));
}

test.each<[number, number]>([
  [17_000, 40],
  [33_000, 2],
  [5, 20_000],
])(
  'a picture of %d x %d, longer than a band, is read to its borders, and nothing is written beyond a room',
  (...size) => {
    const frame = anyPicture(size);
    const kernels = markedKernels();
    for (const window of borders(frame)) {
      for (const target of [
        [33, 47],
        [5, 40],
      ] as const) {
        expect(differences(kernels.create, { frame, window, target, normalisation: IMAGENET })).toEqual([]);
      }
    }
    expect(kernels.broken()).toBe(0);
  },
);

test.each([1, 150, 900])('bands of %d bytes give the same, and nothing is written beyond a room', (bandBytes) => {
  const kernels = markedKernels(bandBytes);
  for (let i = 0; i < 60; i++) expect(differences(kernels.create, anyComparison(i))).toEqual([]);
  expect(kernels.broken()).toBe(0);
});

test('nothing is read or written beyond the last row of a band', () => {
  const memoryOf = (memory: ModuleMemory, from: number): TightMemory => new TightMemory(memory, from);
  const create = (): PixelKernel => createPixelKernel({ memoryOf, bandBytes: 1 });
  for (let i = 0; i < 60; i++) expect(differences(create, anyComparison(i))).toEqual([]);
  // Rows that are whole vectors have nothing behind their last pixel.
  for (const width of [16, 32, 48]) {
    const frame = anyPicture([width, 9]);
    for (const window of borders(frame)) {
      for (const target of [
        [width, 5],
        [7, 9],
        [width, 9],
        [90, 90],
      ] as const) {
        expect(differences(create, { frame, window, target })).toEqual([]);
      }
    }
  }
});
