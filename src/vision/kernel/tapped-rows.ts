import type { PictureArea } from '../picture-area.ts';
import { tapsIn, type TapGrid, type Taps } from '../taps.ts';
import type { KernelExports } from './kernel-exports.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { PixelTarget } from './pixel-target.ts';
import type { OpenRows, SourceRows } from './source-rows.ts';

/** 32-bit numbers per target row that the module reads: two source rows, their weights, and where they lie. */
const LINE = 6;

interface TappedWork {
  readonly target: PixelTarget;
  /** Whose arithmetic: OpenCV's resize, or its affine warp. */
  readonly rule: 'resize' | 'grid';
  /**
   * Writes the taps into black ones, and says what they read and which position is the window's first; null where they
   * read nothing, and nothing is written then.
   */
  readonly aim: (taps: TapGrid) => Aim | null;
}

export interface Aim {
  readonly source: PictureArea;
  readonly originX: number;
  readonly originY: number;
}

/** Writes a picture whose pixels are mixed from two places along each axis; returns whether anything was to be read. */
export type WriteTapped = (work: TappedWork) => boolean;

/** See `WriteTapped`. */
export function tappedRows(kernel: KernelExports, memory: KernelMemory, open: OpenRows): WriteTapped {
  const rooms = { tables: memory.room(), columns: memory.room(), sums: memory.room(), lines: memory.room() };
  return ({ target, rule, aim }) => {
    const { width, height, address, stride, step, levels } = target;
    const tables = rooms.tables((width + height) * 16);
    const columns = rooms.columns((width + 3) * 8);
    const sums = rooms.sums((width + 16) * 6 * 2);
    const lines = rooms.lines(height * LINE * 4);
    const numbers = (): Int32Array => memory.ints.subarray(tables / 4, tables / 4 + (width + height) * 4);
    numbers().fill(0);
    const aimed = aim(gridIn(numbers(), width));
    if (aimed === null) return false;
    const rows = open(aimed.source);
    kernel.packColumns(tables, width, aimed.originX, columns);
    kernel.beginRows(columns, width, sums);
    // Opening the rows may have grown the memory: the taps are looked at anew.
    const { rows: taps } = gridIn(numbers(), width);
    const writeRows = rule === 'resize' ? kernel.resizedRows : kernel.griddedRows;
    const plan = linePlan(taps, rows, aimed.originY);
    for (let from = 0; from < height;) {
      const to = plan(memory.ints, lines / 4, from);
      writeRows(lines, to - from, address + from * stride, stride, step, levels.as, levels.address);
      from = to;
    }
    return true;
  };
}

function gridIn(numbers: Int32Array, width: number): TapGrid {
  return { columns: tapsIn(numbers.subarray(0, width * 4)), rows: tapsIn(numbers.subarray(width * 4)) };
}

/**
 * Copies the source rows of as many target rows as a band has room for, from target row `from` on, writes their lines, and
 * returns the first row that is left.
 */
function linePlan(taps: Taps, rows: SourceRows, origin: number): (out: Int32Array, at: number, from: number) => number {
  const { low, high, lowWeight, highWeight } = taps;
  /** The last two rows that were copied; a target row needs no more. */
  const last = { row: -1, address: 0 };
  const before = { row: -1, address: 0 };
  let places = 0;
  // The row that the module has summed last: a target row without weights asks for that one, and reads nothing.
  let summed = -1;
  const addressOf = (row: number): number => {
    if (row === last.row) return last.address;
    if (row === before.row) return before.address;
    Object.assign(before, last);
    last.row = row;
    last.address = rows.copy(row - origin, places);
    places += 1;
    return last.address;
  };
  return (out, at, from) => {
    places = 0;
    last.row = -1;
    before.row = -1;
    let y = from;
    for (let line = at; y < low.length && places + 2 <= rows.capacity; y++, line += LINE) {
      const [first, second] = [lowWeight[y] as number, highWeight[y] as number];
      const black = first === 0 && second === 0;
      const upper = black ? summed : ((first === 0 ? high[y] : low[y]) as number);
      const lower = second === 0 ? upper : (high[y] as number);
      out[line] = upper;
      out[line + 1] = lower;
      out[line + 2] = first;
      out[line + 3] = second;
      out[line + 4] = black ? 0 : addressOf(upper);
      out[line + 5] = black ? 0 : addressOf(lower);
      summed = upper;
    }
    return y;
  };
}
