import type { PictureArea } from '../picture-area.ts';
import type { KernelExports } from './kernel-exports.ts';
import type { KernelMemory } from './kernel-memory.ts';

/** Bytes of a band of rows: what is read stays in the processor's cache with what is made of it. */
const BAND = 96 * 1024;
/** Vectors are read to their end: so much behind a row must be readable, though it weighs nothing. */
const SLACK = 32;

/** Rows of a window in the kernel's memory. */
export interface SourceRows {
  /** Most rows that are there at once: at least two. */
  readonly capacity: number;
  /** Bytes from a row to the next one. */
  readonly pitch: number;
  /** Copies row `row` of the window to place `place`, with its blanks black, and returns its address. */
  readonly copy: (row: number, place: number) => number;
}

/** What of the kernel's memory holds rows of pictures, one band of one window at a time. */
export type OpenRows = (source: PictureArea, slack?: number) => SourceRows;

/**
 * The rows of a picture are copied here before they are read: a module reads its own memory alone, the copy has no gaps, and
 * what is to be black can be painted. `Buffer.copy` is as fast from shared memory as from any other; `set` is not.
 */
export function sourceRows(kernel: KernelExports, memory: KernelMemory, bandBytes = BAND): OpenRows {
  const room = memory.room();
  return ({ frame, window, blanks = [] }, slack = SLACK) => {
    const length = (window.x2 - window.x1) * 3;
    const pitch = Math.ceil((length + slack) / 16) * 16;
    const capacity = Math.max(2, Math.floor(bandBytes / pitch));
    const base = room(capacity * pitch);
    const { buffer, byteOffset, byteLength } = frame.pixels;
    const pixels = Buffer.from(buffer, byteOffset, byteLength);
    const stride = frame.width * 3;
    const start = window.y1 * stride + window.x1 * 3;
    return {
      capacity,
      pitch,
      copy: (row, place) => {
        const address = base + place * pitch;
        const from = start + row * stride;
        pixels.copy(memory.bytes, address, from, from + length);
        for (const { x1, y1, x2, y2 } of blanks) {
          if (row >= y1 && row < y2 && x1 < x2) kernel.blacken(address, pitch, 1, x1 * 3, x2 * 3);
        }
        return address;
      },
    };
  };
}
