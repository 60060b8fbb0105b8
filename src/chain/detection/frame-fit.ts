import { Tensor } from '../../inference/tensor.ts';
import { TAP_ROWS } from '../../graphs/prepare/prepared-inputs.ts';
import { letterboxGeometry, letterboxTaps } from '../../vision/letterbox.ts';
import { linesRead } from '../../vision/lines-read.ts';
import type { Picture } from '../../vision/picture.ts';
import { resizeTaps, type Taps } from '../../vision/taps.ts';

/** How frames of one size become a prepared detector's picture. */
export interface FrameFit {
  /** Of the frame, from its top: no other is read, and no other goes to the graph. */
  readonly lines: readonly number[];
  /** Where the picture is taken from in those lines, by `TAP_ROWS`: int32 [5, target height] and [5, target width]. */
  readonly feeds: { readonly rows: Tensor; readonly columns: Tensor };
}

export interface FrameTarget {
  readonly width: number;
  readonly height: number;
  /** Grey level around the fitted picture; null: it is stretched. */
  readonly fill: number | null;
}

/** The fit of frames of this size into a model's picture. */
export function frameFit(frame: Pick<Picture, 'width' | 'height'>, target: FrameTarget): FrameFit {
  const { width, height, fill } = target;
  if (fill === null) {
    const { lines, rows } = linesRead(resizeTaps(frame.height, height), frame.height);
    const columns = tapTensor(resizeTaps(frame.width, width), () => 0);
    return { lines, feeds: { rows: tapTensor(rows, () => 0), columns } };
  }
  const inner = letterboxGeometry(frame.width, frame.height, width, height);
  // An extreme strip can shrink to nothing on its short side: then all is fill.
  const empty = inner.width === 0 || inner.height === 0;
  const taps = letterboxTaps(frame.width, frame.height, width, height);
  const outside = (start: number, length: number) => (place: number) =>
    empty || place < start || place >= start + length ? fill : 0;
  const { lines, rows } = linesRead(taps.rows, frame.height);
  return {
    lines,
    feeds: {
      rows: tapTensor(rows, outside(inner.top, inner.height)),
      columns: tapTensor(taps.columns, outside(inner.left, inner.width)),
    },
  };
}

function tapTensor(taps: Taps, fillAt: (place: number) => number): Tensor {
  const count = taps.low.length;
  const fill = Int32Array.from(taps.low, (_, place) => fillAt(place));
  const data = new Int32Array(TAP_ROWS.length * count);
  TAP_ROWS.forEach((name, i) => data.set(name === 'fill' ? fill : taps[name], i * count));
  return new Tensor('int32', data, [TAP_ROWS.length, count]);
}
