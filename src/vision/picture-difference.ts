import type { Picture } from './picture.ts';

/** Blocks along the longer side: one is about as large as the smallest person that a detector of 640 pixels finds. */
const BLOCKS = 96;
const MIN_BLOCK = 8;
/** Pixels along a side of a block that are looked at: enough for noise to cancel out in their mean. */
const SAMPLES = 8;

/**
 * How far two pictures differ where they differ most: the largest difference of a block's mean light, or half of that of its colour, 0..255. Noise
 * vanishes in a block's mean, and somebody small in a corner does not vanish in the picture's. Pictures of different sizes differ by 255.
 */
export function pictureDifference(a: Picture, b: Picture): number {
  const { width, height } = a;
  if (b.width !== width || b.height !== height) return 255;
  const block = Math.max(MIN_BLOCK, Math.ceil(Math.max(width, height) / BLOCKS));
  const step = Math.max(1, Math.floor(block / SAMPLES));
  const columns = Math.max(1, Math.floor(width / block));
  const rows = Math.max(1, Math.floor(height / block));
  let largest = 0;
  for (let row = 0; row < rows; row += 1) {
    // What does not fill a block of its own belongs to the last one.
    const y = { from: row * block, to: row === rows - 1 ? height : (row + 1) * block };
    for (let column = 0; column < columns; column += 1) {
      const x = { from: column * block, to: column === columns - 1 ? width : (column + 1) * block };
      largest = Math.max(largest, blockDifference(a, b, x, y, step));
    }
  }
  return largest;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function blockDifference(a: Picture, b: Picture, x: Range, y: Range, step: number): number {
  const [before, after] = [a.pixels, b.pixels];
  let [red, green, blue, count] = [0, 0, 0, 0];
  for (let line = y.from; line < y.to; line += step) {
    const end = (line * a.width + x.to) * 3;
    for (let i = (line * a.width + x.from) * 3; i < end; i += step * 3) {
      red += (before[i] ?? 0) - (after[i] ?? 0);
      green += (before[i + 1] ?? 0) - (after[i + 1] ?? 0);
      blue += (before[i + 2] ?? 0) - (after[i + 2] ?? 0);
      count += 1;
    }
  }
  if (count === 0) return 0;
  const light = 0.299 * red + 0.587 * green + 0.114 * blue;
  // Video has colour at half the resolution: its noise cancels out half as well.
  return Math.max(Math.abs(light), Math.abs(red - light) / 2, Math.abs(blue - light) / 2) / count;
}
