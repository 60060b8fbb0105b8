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
  const data = planes.data.map((value, index) => {
    const channel = Math.floor(index / area);
    return (value - (IMAGENET_MEAN[channel] ?? 0)) / (IMAGENET_STD[channel] ?? 1);
  });
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
  const [stepX, stepY] = [(region.x2 - region.x1) / width, (region.y2 - region.y1) / height];
  const at = (x: number, y: number, channel: number): number =>
    x < 0 || y < 0 || x >= picture.width || y >= picture.height
      ? 0
      : (picture.pixels[(y * picture.width + x) * 3 + channel] ?? 0);
  for (let y = 0; y < height; y++) {
    const sy = region.y1 + (y + 0.5) * stepY - 0.5;
    const [top, fy] = [Math.floor(sy), sy - Math.floor(sy)];
    for (let x = 0; x < width; x++) {
      const sx = region.x1 + (x + 0.5) * stepX - 0.5;
      const left = Math.floor(sx);
      const fx = sx - left;
      for (let channel = 0; channel < 3; channel++) {
        const upper = at(left, top, channel) * (1 - fx) + at(left + 1, top, channel) * fx;
        const lower = at(left, top + 1, channel) * (1 - fx) + at(left + 1, top + 1, channel) * fx;
        data[(channel * height + y) * width + x] = (upper * (1 - fy) + lower * fy) / 255;
      }
    }
  }
  return { width, height, data };
}

function shrink(planes: Planes, factor: number): Planes {
  const [width, height] = [planes.width / factor, planes.height / factor];
  const data = new Float32Array(3 * width * height);
  for (let index = 0; index < planes.data.length; index++) {
    const x = Math.floor((index % planes.width) / factor);
    const row = Math.floor(index / planes.width);
    const [plane, y] = [Math.floor(row / planes.height), Math.floor((row % planes.height) / factor)];
    const target = (plane * height + y) * width + x;
    data[target] = (data[target] ?? 0) + (planes.data[index] ?? 0) / (factor * factor);
  }
  return { width, height, data };
}
