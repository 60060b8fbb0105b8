import { Tensor } from '../../inference/tensor.ts';
import { BICUBIC_TAPS } from '../../graphs/prepare/prepared-inputs.ts';
import { type BicubicTaps, bicubicTaps } from '../../vision/bicubic-taps.ts';
import type { PixelKernel } from '../../vision/kernel/pixel-kernel.ts';
import { copyRows, wholeArea, type PictureArea } from '../../vision/picture-area.ts';

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
 * encoder's size has more taps than the graph adds up; it is resized here. The buffers are used again: ONNX Runtime has read them
 * when `run` resolves. What an earlier canvas left between the pictures weighs nothing.
 */
export function canvasFeeds(
  kernel: Pick<PixelKernel, 'square'>,
  size: number,
): (pictures: readonly PictureArea[], rows: number) => CanvasFeeds {
  let pixels = new Uint8Array(0);
  let tables = new Int32Array(0);
  return (pictures, rows) => {
    const placed = pictures.map((picture) => place(kernel, picture, size));
    const height = Math.max(...placed.map((one) => one.height));
    const width = placed.reduce((sum, one) => sum + one.width, 0);
    if (pixels.length < height * width * 3) pixels = new Uint8Array(height * width * 3);
    const axis = BICUBIC_TAPS * rows * size;
    if (tables.length < axis * 4) tables = new Int32Array(axis * 4);
    tables.fill(0, 0, axis * 4);
    const [columns, columnWeights, lines, lineWeights] = [0, 1, 2, 3].map((i) =>
      tables.subarray(i * axis, (i + 1) * axis),
    ) as [Int32Array, Int32Array, Int32Array, Int32Array];
    let left = 0;
    placed.forEach((one, row) => {
      const { side, taps } = one;
      copyRows(one.area, pixels, left * 3, width * 3);
      const across = { taps, before: Math.floor((side - one.width) / 2), length: one.width };
      const down = { taps, before: Math.floor((side - one.height) / 2), length: one.height };
      writeTaps(across, { places: columns, weights: columnWeights, row, rows, start: left });
      writeTaps(down, { places: lines, weights: lineWeights, row, rows, start: row * height });
      left += one.width;
    });
    const dims = [BICUBIC_TAPS, rows, size];
    return {
      canvas: new Tensor('uint8', pixels.subarray(0, height * width * 3), [height, width, 3]),
      columns: new Tensor('int32', columns, dims),
      column_weights: new Tensor('int32', columnWeights, dims),
      lines: new Tensor('int32', lines, dims),
      line_weights: new Tensor('int32', lineWeights, dims),
    };
  };
}

interface Placed {
  readonly area: PictureArea;
  readonly width: number;
  readonly height: number;
  /** Of the black square around it. */
  readonly side: number;
  readonly taps: BicubicTaps;
}

function place(kernel: Pick<PixelKernel, 'square'>, area: PictureArea, size: number): Placed {
  const { x1, y1, x2, y2 } = area.window;
  const [width, height] = [x2 - x1, y2 - y1];
  const side = Math.max(width, height);
  const taps = bicubicTaps(side, size);
  if (taps.count.every((count) => count <= BICUBIC_TAPS)) return { area, width, height, side, taps };
  const square = { width: size, height: size, pixels: kernel.square(area, size) };
  return { area: wholeArea(square), width: size, height: size, side: size, taps: bicubicTaps(size, size) };
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
