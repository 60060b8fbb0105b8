import type { KernelExports } from './kernel-exports.ts';
import { BYTES, type Levels } from './level-table.ts';

/** Where a picture is written: planes of floats, or bytes of interleaved pixels. */
export interface PixelTarget {
  readonly width: number;
  readonly height: number;
  /** Of the first level of the first channel. */
  readonly address: number;
  /** Bytes from row to row, from channel to channel, and from pixel to pixel. */
  readonly stride: number;
  readonly step: number;
  readonly advance: number;
  readonly levels: Levels;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture of that size as float planes (CHW, RGB). */
export function planesAt(address: number, { width, height }: Size, levels: Levels): PixelTarget {
  return { width, height, address, stride: width * 4, step: width * height * 4, advance: 4, levels };
}

/** A picture of that size as bytes (HWC, RGB). */
export function bytesAt(address: number, { width, height }: Size): PixelTarget {
  const levels = { as: BYTES, address: 0, of: (_channel: number, level: number) => level };
  return { width, height, address, stride: width * 3, step: 1, advance: 3, levels };
}

/** A rectangle inside a target. */
export interface Placement extends Size {
  readonly left: number;
  readonly top: number;
}

/** That rectangle as a target of its own. */
export function within(target: PixelTarget, { left, top, width, height }: Placement): PixelTarget {
  return { ...target, width, height, address: target.address + top * target.stride + left * target.advance };
}

/** Writes one level around a rectangle; all over where the rectangle is empty. */
export function fillAround(kernel: KernelExports, target: PixelTarget, inner: Placement, level: number): void {
  if (inner.width <= 0 || inner.height <= 0) {
    fillLevel(kernel, target, level);
    return;
  }
  const { width, height } = target;
  const below = inner.top + inner.height;
  const beside = inner.left + inner.width;
  const parts: readonly Placement[] = [
    { left: 0, top: 0, width, height: inner.top },
    { left: 0, top: below, width, height: height - below },
    { left: 0, top: inner.top, width: inner.left, height: inner.height },
    { left: beside, top: inner.top, width: width - beside, height: inner.height },
  ];
  for (const part of parts) fillLevel(kernel, within(target, part), level);
}

/** Writes one level all over. */
export function fillLevel(kernel: KernelExports, target: PixelTarget, level: number): void {
  const { width, height, address, stride, step, levels } = target;
  if (width <= 0 || height <= 0) return;
  if (levels.as === BYTES) {
    if (level !== 0) throw new RangeError(`bytes are filled with black only, not with ${level}`);
    kernel.blacken(address, stride, height, 0, width * 3);
    return;
  }
  for (let channel = 0; channel < 3; channel++) {
    kernel.fill(address + channel * step, stride, width, height, levels.of(channel, level));
  }
}
