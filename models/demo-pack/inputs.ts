import type { Box } from '../../src/vision/box.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from './colour-classes.ts';

/** Planar float32 RGB, 0..1 unless normalised. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/**
 * Plain preparation of the demo models' inputs, written from the models' descriptions and independent of the worker's own code, so
 * that the pack can be checked on its own.
 */
export function letterbox(picture: Picture, size: number, fill: number): Planes {
  const gain = Math.min(size / picture.width, size / picture.height);
  const [width, height] = [Math.round(picture.width * gain), Math.round(picture.height * gain)];
  const [left, top] = [Math.round((size - width) / 2 - 0.1), Math.round((size - height) / 2 - 0.1)];
  const scaled = sample(picture, { x1: 0, y1: 0, x2: picture.width, y2: picture.height }, width, height);
  const data = new Float32Array(3 * size * size).fill(fill / 255);
  for (let plane = 0; plane < 3; plane++) {
    for (let y = 0; y < height; y++) {
      const from = (plane * height + y) * width;
      data.set(scaled.data.subarray(from, from + width), (plane * size + y + top) * size + left);
    }
  }
  return { width: size, height: size, data };
}

export function normalise(planes: Planes): Planes {
  const area = planes.width * planes.height;
  const data = new Float32Array(planes.data.length);
  for (const [channel, mean] of IMAGENET_MEAN.entries()) {
    for (let at = channel * area; at < (channel + 1) * area; at++) {
      data[at] = (planes.data[at]! - mean) / IMAGENET_STD[channel]!;
    }
  }
  return { ...planes, data };
}

/** Whole pixels of the box, cut to the picture. */
export function cut(picture: Picture, box: Box): Picture {
  const x1 = Math.max(0, Math.trunc(box.x1));
  const y1 = Math.max(0, Math.trunc(box.y1));
  const width = Math.max(1, Math.min(picture.width, Math.trunc(box.x2)) - x1);
  const height = Math.max(1, Math.min(picture.height, Math.trunc(box.y2)) - y1);
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((y + y1) * picture.width + x1) * 3;
    pixels.set(picture.pixels.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, pixels };
}

/** The crop of a body with the other boxes painted black. */
export function cutBody(picture: Picture, box: Box, others: readonly Box[]): Picture {
  const crop = cut(picture, box);
  const [left, top] = [Math.max(0, Math.trunc(box.x1)), Math.max(0, Math.trunc(box.y1))];
  for (const other of others) {
    const [x1, x2] = [Math.max(0, Math.trunc(other.x1) - left), Math.min(crop.width, Math.trunc(other.x2) - left)];
    const [y1, y2] = [Math.max(0, Math.trunc(other.y1) - top), Math.min(crop.height, Math.trunc(other.y2) - top)];
    if (x2 <= x1) continue;
    for (let y = y1; y < y2; y++) {
      crop.pixels.fill(0, (y * crop.width + x1) * 3, (y * crop.width + x2) * 3);
    }
  }
  return crop;
}

/** The orientation model's crop: grown to 3:4, enlarged 1.25 times, black outside, 192 x 256. */
export function orientationCrop(picture: Picture, box: Box): Planes {
  const width = 1.25 * Math.max(box.x2 - box.x1, 0.75 * (box.y2 - box.y1));
  const height = width / 0.75;
  const [x, y] = [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2];
  return sample(picture, { x1: x - width / 2, y1: y - height / 2, x2: x + width / 2, y2: y + height / 2 }, 192, 256);
}

/** The language model's picture: padded to a black square and resized, smoothed when it gets smaller. */
export function squarePicture(picture: Picture, size: number): Planes {
  const side = Math.max(picture.width, picture.height);
  const left = -Math.floor((side - picture.width) / 2);
  const top = -Math.floor((side - picture.height) / 2);
  const factor = Math.max(1, Math.ceil(side / size));
  const large = sample(picture, { x1: left, y1: top, x2: left + side, y2: top + side }, size * factor, size * factor);
  return shrink(large, factor);
}

/** Bilinear samples of a region of the picture; black outside. */
function sample(picture: Picture, region: Box, width: number, height: number): Planes {
  const data = new Float32Array(3 * width * height);
  const columns = taps(region.x1, region.x2, width, picture.width);
  const rows = taps(region.y1, region.y2, height, picture.height);
  const { pixels } = picture;
  for (let y = 0; y < height; y++) {
    const row = rows[y]!;
    const [upper, lower] = [row.first * picture.width, row.second * picture.width];
    for (let x = 0; x < width; x++) {
      const column = columns[x]!;
      for (let channel = 0; channel < 3; channel++) {
        const top =
          pixels[(upper + column.first) * 3 + channel]! * column.firstWeight +
          pixels[(upper + column.second) * 3 + channel]! * column.secondWeight;
        const bottom =
          pixels[(lower + column.first) * 3 + channel]! * column.firstWeight +
          pixels[(lower + column.second) * 3 + channel]! * column.secondWeight;
        data[(channel * height + y) * width + x] = (top * row.firstWeight + bottom * row.secondWeight) / 255;
      }
    }
  }
  return { width, height, data };
}

/** The two source pixels of each sample on one axis and their weights; a pixel outside has the weight 0. */
interface Tap {
  readonly first: number;
  readonly second: number;
  readonly firstWeight: number;
  readonly secondWeight: number;
}

function taps(from: number, to: number, count: number, size: number): readonly Tap[] {
  return Array.from({ length: count }, (_, index) => {
    const at = from + ((index + 0.5) * (to - from)) / count - 0.5;
    const first = Math.floor(at);
    const inside = (place: number): boolean => place >= 0 && place < size;
    return {
      first: inside(first) ? first : 0,
      second: inside(first + 1) ? first + 1 : 0,
      firstWeight: inside(first) ? 1 - (at - first) : 0,
      secondWeight: inside(first + 1) ? at - first : 0,
    };
  });
}

/** Means of squares of `factor` x `factor` pixels. */
function shrink(planes: Planes, factor: number): Planes {
  if (factor === 1) return planes;
  const [width, height] = [planes.width / factor, planes.height / factor];
  const data = new Float32Array(3 * width * height);
  let from = 0;
  for (let row = 0; row < 3 * planes.height; row++) {
    const target = Math.floor(row / factor) * width;
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let step = 0; step < factor; step++) sum += planes.data[from++]!;
      data[target + x] = data[target + x]! + sum / (factor * factor);
    }
  }
  return { width, height, data };
}
