import { KERNEL } from '../../generated/kernel/compiled-kernel.ts';
import type { PictureArea } from '../picture-area.ts';
import type { Normalisation } from '../levels.ts';
import { startModule, type ModuleMemory } from './kernel-exports.ts';
import { KernelMemory } from './kernel-memory.ts';
import { putLevels } from './level-table.ts';
import { pictureWriter } from './picture-writer.ts';
import { bytesAt, planesAt } from './pixel-target.ts';
import { floatPlanes, type FloatPlanes } from './float-planes.ts';
import { sourceRows } from './source-rows.ts';

/**
 * The one path from pixels to the numbers that a model takes, in WebAssembly with memory of its own: pictures are read where they
 * lie, shared memory included, row by row; what is made of them lies in the kernel's memory, where ONNX Runtime reads it. Every
 * result is that of the reference implementations to the last bit. Its memory grows with the widest row and the largest batch,
 * not with the number of pixels.
 *
 * An instance belongs to one thread, and what it writes stays until the same planes are written again.
 */
export interface PixelKernel {
  /** Room for pictures of one size, as float planes (CHW, RGB): level / 255, then (x - mean) / std where given. */
  readonly planes: (size: PictureSize, normalisation?: Normalisation) => FloatPlanes;
  /** A picture padded to a black square and resized to `size` x `size`, as bytes (HWC, RGB). */
  readonly square: (source: PictureArea, size: number) => Uint8Array;
  /** Whether at least this share (0..1) of the window's bytes is neither black nor blank. */
  readonly isLit: (source: PictureArea, share: number) => boolean;
  /** Bytes of memory that it holds. */
  readonly memoryBytes: () => number;
}

interface PictureSize {
  readonly width: number;
  readonly height: number;
}

interface KernelOptions {
  /** How the module's memory is given out, from an address on. */
  readonly memoryOf?: (memory: ModuleMemory, from: number) => KernelMemory;
  /** Of the rows that are read at once; what the processor's cache holds when absent. */
  readonly bandBytes?: number | undefined;
}

const plainMemory = (memory: ModuleMemory, from: number): KernelMemory => new KernelMemory(memory, from);

/** Makes a kernel. The module is small: it is compiled in about a millisecond, and nothing is waited for. */
export function createPixelKernel({ memoryOf = plainMemory, bandBytes }: KernelOptions = {}): PixelKernel {
  const kernel = startModule(Buffer.from(KERNEL, 'base64'));
  const memory = memoryOf(kernel.memory, kernel.heapBase.value);
  const open = sourceRows(kernel, memory, bandBytes);
  const writer = pictureWriter(kernel, memory, open);
  const bytes = memory.room();
  return {
    planes: (size, normalisation) => {
      const levels = putLevels(memory, normalisation);
      return floatPlanes(memory, size, writer, (address) => planesAt(address, size, levels));
    },
    square: (source, size) => {
      const length = size * size * 3;
      const address = bytes(length);
      writer.square(source, bytesAt(address, { width: size, height: size }));
      return memory.bytes.slice(address, address + length);
    },
    isLit: (source, share) => {
      const { x1, y1, x2, y2 } = source.window;
      const length = (x2 - x1) * 3;
      const rows = open(source);
      let found = 0;
      for (let row = 0; row < y2 - y1; row++) {
        if (found / (length * (y2 - y1)) >= share) return true;
        found += kernel.lit(rows.copy(row, 0), rows.pitch, 1, length);
      }
      return found / (length * (y2 - y1)) >= share;
    },
    memoryBytes: () => memory.size,
  };
}
