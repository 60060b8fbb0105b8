import type { PictureArea } from '../picture-area.ts';
import { bicubicTaps, bicubicTapSize } from '../bicubic-taps.ts';
import type { KernelExports } from './kernel-exports.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { PixelTarget } from './pixel-target.ts';
import type { OpenRows } from './source-rows.ts';

/** Writes a picture, padded to a black square, resized with antialiasing to a square target of another size. */
export type WriteSquare = (source: PictureArea, target: PixelTarget) => void;

/** See `WriteSquare`. */
export function squareRows(kernel: KernelExports, memory: KernelMemory, open: OpenRows): WriteSquare {
  const rooms = {
    tables: memory.room(),
    columns: memory.room(),
    lines: memory.room(),
    ring: memory.room(),
    addresses: memory.room(),
  };
  /** Writes the unpacked taps of both axes, which are the same, and returns where they are and the most of a place. */
  const putTaps = (side: number, size: number): Tables => {
    const stride = bicubicTapSize(side, size);
    const first = rooms.tables(size * (2 + stride) * 4);
    const count = first + size * 4;
    const weights = count + size * 4;
    const ints = memory.ints.subarray(first / 4, weights / 4 + size * stride);
    const taps = bicubicTaps(side, size, {
      first: ints.subarray(0, size),
      count: ints.subarray(size, size * 2),
      weights: ints.subarray(size * 2),
    });
    return { first, count, weights, stride, most: taps.count.reduce((most, used) => Math.max(most, used), 0) };
  };
  return (source, target) => {
    const { width: size, address, step, levels } = target;
    const width = source.window.x2 - source.window.x1;
    const height = source.window.y2 - source.window.y1;
    const side = Math.max(width, height);
    const { first, count, weights, stride, most } = putTaps(side, size);
    const pairs = Math.ceil(most / 2);
    const tapBytes = 8 + pairs * 8;
    const columns = rooms.columns((size + 3) * tapBytes);
    const lines = rooms.lines((size + 3) * tapBytes);
    const pack = (length: number, unit: number, out: number): void => {
      const before = Math.floor((side - length) / 2);
      kernel.packTaps(first, count, weights, stride, size, pairs, before, before + length, unit, out);
    };
    pack(width, 3, columns);
    pack(height, 1, lines);
    const ring = rooms.ring(most * 3 * Math.ceil(size / 16) * 16);
    kernel.beginSquare(size, pairs, columns, lines, ring, most, rooms.addresses(pairs * 8));
    const rows = open(source, pairs * 6 + 16);
    for (let from = 0; from < height; from += rows.capacity) {
      const places = Math.min(rows.capacity, height - from);
      const start = rows.copy(from, 0);
      for (let place = 1; place < places; place++) rows.copy(from + place, place);
      kernel.squareRows(start, rows.pitch, places, address, step, levels.as, levels.address);
    }
    kernel.endSquare(address, step, levels.as, levels.address);
  };
}

interface Tables {
  readonly first: number;
  readonly count: number;
  readonly weights: number;
  readonly stride: number;
  /** Most source positions of a place. */
  readonly most: number;
}
