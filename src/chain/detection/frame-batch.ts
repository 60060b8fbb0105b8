import { Tensor } from '../../inference/tensor.ts';
import { copyRows, wholeArea } from '../../vision/picture-area.ts';
import type { Picture } from '../../vision/picture.ts';

/**
 * Frames of one size as a uint8 tensor [rows, height, width, 3]; rows beyond the frames hold what the buffer held before. They
 * are copied next to each other once, into a buffer that is used again: ONNX Runtime has read it when `run` resolves, and its binding
 * reads no shared memory.
 */
export function frameBatch(): (frames: readonly [Picture, ...Picture[]], rows: number) => Tensor {
  let buffer = new Uint8Array(0);
  return (frames, rows) => {
    const [{ width, height, pixels }] = frames;
    const dims = [rows, height, width, 3];
    const bytes = rows * pixels.length;
    if (buffer.length < bytes) buffer = new Uint8Array(bytes);
    frames.forEach((frame, i) => copyRows(wholeArea(frame), buffer, i * pixels.length, width * 3));
    return new Tensor('uint8', buffer.subarray(0, bytes), dims);
  };
}

/** Places of the items whose frames have the same size, in order; a batch holds frames of one size only. */
export function groupBySize(frames: readonly Picture[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  frames.forEach(({ width, height }, i) => {
    const key = `${width}x${height}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  });
  return [...groups.values()];
}
