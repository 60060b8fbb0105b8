import { Tensor } from '../../inference/tensor.ts';
import { BICUBIC_TAPS } from '../../graphs/prepare/prepared-inputs.ts';
import { padSquare } from '../../vision/pad-square.ts';
import type { Picture } from '../../vision/picture.ts';
import { type BicubicTaps, bicubicTaps } from '../../vision/bicubic-taps.ts';
import { resizeBicubic } from '../../vision/resize-bicubic.ts';

interface CanvasFeeds extends Readonly<Record<string, Tensor>> {
  readonly canvas: Tensor;
  readonly columns: Tensor;
  readonly column_weights: Tensor;
  readonly lines: Tensor;
  readonly line_weights: Tensor;
}

/**
 * Inputs of the prepared vision encoder for `rows` pictures (rows beyond the given ones are black): the pixels side by side, and
 * for each picture where the resized, black-padded square reads them. A picture of more than one and a half times the
 * encoder's size has more taps than the graph adds up; it is resized here.
 */
export function canvasFeeds(pictures: readonly Picture[], rows: number, size: number): CanvasFeeds {
  const placed = pictures.map((picture) => place(picture, size));
  const height = Math.max(...placed.map(({ picture }) => picture.height));
  const width = placed.reduce((sum, { picture }) => sum + picture.width, 0);
  const pixels = new Uint8Array(height * width * 3);
  const feeds = {
    columns: axis(rows, size),
    columnWeights: axis(rows, size),
    lines: axis(rows, size),
    lineWeights: axis(rows, size),
  };
  let left = 0;
  placed.forEach(({ picture, side, taps }, row) => {
    copyInto(pixels, width, picture, left);
    const across = { taps, before: Math.floor((side - picture.width) / 2), length: picture.width };
    const down = { taps, before: Math.floor((side - picture.height) / 2), length: picture.height };
    writeTaps(across, { places: feeds.columns, weights: feeds.columnWeights, row, rows, start: left });
    writeTaps(down, { places: feeds.lines, weights: feeds.lineWeights, row, rows, start: row * height });
    left += picture.width;
  });
  const dims = [BICUBIC_TAPS, rows, size];
  return {
    canvas: new Tensor('uint8', pixels, [height, width, 3]),
    columns: new Tensor('int32', feeds.columns, dims),
    column_weights: new Tensor('int32', feeds.columnWeights, dims),
    lines: new Tensor('int32', feeds.lines, dims),
    line_weights: new Tensor('int32', feeds.lineWeights, dims),
  };
}

interface Placed {
  readonly picture: Picture;
  /** Of the black square around it. */
  readonly side: number;
  readonly taps: BicubicTaps;
}

function place(picture: Picture, size: number): Placed {
  const side = Math.max(picture.width, picture.height);
  const taps = bicubicTaps(side, size);
  if (taps.count.every((count) => count <= BICUBIC_TAPS)) return { picture, side, taps };
  return { picture: resizeBicubic(padSquare(picture), size, size), side: size, taps: bicubicTaps(size, size) };
}

function axis(rows: number, size: number): Int32Array {
  return new Int32Array(BICUBIC_TAPS * rows * size);
}

function copyInto(canvas: Uint8Array, canvasWidth: number, picture: Picture, left: number): void {
  const stride = picture.width * 3;
  for (let y = 0; y < picture.height; y++) {
    canvas.set(picture.pixels.subarray(y * stride, (y + 1) * stride), (y * canvasWidth + left) * 3);
  }
}

interface Side {
  readonly taps: BicubicTaps;
  /** Black positions before the picture's own. */
  readonly before: number;
  readonly length: number;
}

interface Target {
  readonly places: Int32Array;
  readonly weights: Int32Array;
  readonly row: number;
  readonly rows: number;
  /** Place of the picture's first position. */
  readonly start: number;
}

function writeTaps(side: Side, target: Target): void {
  const { first, count, weights, size: stride } = side.taps;
  const { row, rows, start } = target;
  const size = first.length;
  for (let i = 0; i < size; i++) {
    for (let tap = 0; tap < BICUBIC_TAPS; tap++) {
      const at = (tap * rows + row) * size + i;
      const position = (first[i] as number) + tap - side.before;
      const inside = tap < (count[i] as number) && position >= 0 && position < side.length;
      target.places[at] = start + (inside ? position : 0);
      target.weights[at] = inside ? (weights[i * stride + tap] as number) : 0;
    }
  }
}
