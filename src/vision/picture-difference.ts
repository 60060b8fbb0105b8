import type { Picture } from './picture.ts';

/** Blocks along the longer side: one is about as large as the smallest person that a detector of 640 pixels finds. */
const BLOCKS = 96;
const MIN_BLOCK = 8;
/** Pixels along a side of a block that are looked at: enough for noise to cancel out in their mean. */
const SAMPLES = 8;

/**
 * How far two pictures differ where they differ most: the largest difference of a block's mean light, or half of that of its colour, 0..255. Noise
 * vanishes in a block's mean, and somebody small in a corner does not vanish in the picture's. Blocks overlap by half, so that nobody falls between
 * them. Pictures of different sizes differ by 255.
 */
export function pictureDifference(a: Picture, b: Picture): number {
  const { width, height } = a;
  if (b.width !== width || b.height !== height) return 255;
  const block = Math.max(MIN_BLOCK, Math.ceil(Math.max(width, height) / BLOCKS));
  const step = Math.max(1, Math.floor(block / SAMPLES));
  // A block is four cells. These are spread evenly: a picture that is no whole number of blocks has no larger ones at its end.
  const columns = cuts(width, block / 2);
  const rows = cuts(height, block / 2);
  let above = new Float64Array((columns.length - 1) * CELL);
  let cells = new Float64Array(above.length);
  let largest = 0;
  for (const y of ranges(rows)) {
    [above, cells] = [cells, above];
    sumCells({ a, b, step }, columns, y, cells);
    // Above the first row there is nothing: it makes blocks where it is the only one.
    if (y.from > 0 || y.to === height) largest = Math.max(largest, largestBlock(above, cells));
  }
  return largest;
}

/** Numbers of a cell: the sums of the differences of red, green and blue, and of how many pixels. */
const CELL = 4;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Where the cells of a side begin and end, each at most `size` long. */
function cuts(length: number, size: number): number[] {
  const count = Math.max(1, Math.ceil(length / size));
  return Array.from({ length: count + 1 }, (_, n) => Math.floor((n * length) / count));
}

function ranges(edges: readonly number[]): Range[] {
  return edges.slice(1).map((to, index) => ({ from: edges[index] ?? 0, to }));
}

interface Compared {
  readonly a: Picture;
  readonly b: Picture;
  readonly step: number;
}

/** One row of cells. */
function sumCells({ a, b, step }: Compared, columns: readonly number[], y: Range, cells: Float64Array): void {
  const [before, after] = [a.pixels, b.pixels];
  cells.fill(0);
  for (let line = y.from; line < y.to; line += step) {
    for (let column = 0; column + 1 < columns.length; column += 1) {
      let [red, green, blue, count] = [0, 0, 0, 0];
      const end = (line * a.width + (columns[column + 1] ?? 0)) * 3;
      for (let i = (line * a.width + (columns[column] ?? 0)) * 3; i < end; i += step * 3) {
        red += (before[i] ?? 0) - (after[i] ?? 0);
        green += (before[i + 1] ?? 0) - (after[i + 1] ?? 0);
        blue += (before[i + 2] ?? 0) - (after[i + 2] ?? 0);
        count += 1;
      }
      const cell = column * CELL;
      cells[cell] = (cells[cell] ?? 0) + red;
      cells[cell + 1] = (cells[cell + 1] ?? 0) + green;
      cells[cell + 2] = (cells[cell + 2] ?? 0) + blue;
      cells[cell + 3] = (cells[cell + 3] ?? 0) + count;
    }
  }
}

/** Of the blocks of two rows of cells. */
function largestBlock(above: Float64Array, cells: Float64Array): number {
  const sum = (at: number): number => (cells[at] ?? 0) + (above[at] ?? 0);
  const last = Math.max(1, cells.length / CELL - 1);
  let largest = 0;
  for (let cell = 0; cell < last * CELL; cell += CELL) {
    // The only cell of a row has no neighbour.
    const red = sum(cell) + sum(cell + CELL);
    const green = sum(cell + 1) + sum(cell + CELL + 1);
    const blue = sum(cell + 2) + sum(cell + CELL + 2);
    const count = sum(cell + 3) + sum(cell + CELL + 3);
    const light = 0.299 * red + 0.587 * green + 0.114 * blue;
    // Video has colour at half the resolution: its noise cancels out half as well.
    const most = Math.max(Math.abs(light), Math.abs(red - light) / 2, Math.abs(blue - light) / 2);
    if (count > 0) largest = Math.max(largest, most / count);
  }
  return largest;
}
