import { Tensor } from '../../inference/tensor.ts';
import { copyRows, wholeArea } from '../../vision/picture-area.ts';
import type { Picture } from '../../vision/picture.ts';

type FrameBatch = (frames: readonly [Picture, ...Picture[]], lines: readonly number[], rows: number) => Tensor;

/**
 * These lines of frames of one size as a uint8 tensor [rows, lines, width, 3]; rows beyond the frames hold what the buffer held before.
 * They are copied next to each other once, into a buffer that is used again: ONNX Runtime has read it when `run` resolves, and its
 * binding reads no shared memory.
 */
export function frameBatch(): FrameBatch {
  let buffer = new Uint8Array(0);
  return (frames, lines, rows) => {
    const [{ width }] = frames;
    const size = lines.length * width * 3;
    if (buffer.length < rows * size) buffer = new Uint8Array(rows * size);
    frames.forEach((frame, i) => copyRows(wholeArea(frame), buffer, i * size, width * 3, lines));
    return new Tensor('uint8', buffer.subarray(0, rows * size), [rows, lines.length, width, 3]);
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
