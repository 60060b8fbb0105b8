import { Tensor } from 'onnxruntime-node';
import { TAP_ROWS } from '../../../inference/prepare/letterbox-graph.ts';
import { letterboxGeometry, letterboxTaps, sourceMapping } from '../../../vision/letterbox.ts';
import type { Picture } from '../../../vision/picture.ts';
import type { Taps } from '../../../vision/taps.ts';

/** Inputs of a prepared detector that depend on the size of its frames. */
export interface LetterboxInputs {
  /** int32 [5, target height] and [5, target width], by `TAP_ROWS`. */
  readonly rows: Tensor;
  readonly columns: Tensor;
  /** float64 [3, 4]: pads, gain and limits of x1, y1, x2, y2. */
  readonly to_source: Tensor;
}

/** The letterbox of frames of one size into the model's input, as the prepared graph takes it; `fill` is a level 0..255. */
export function letterboxInputs(
  frame: Pick<Picture, 'width' | 'height'>,
  target: { readonly width: number; readonly height: number; readonly fill: number },
): LetterboxInputs {
  const inner = letterboxGeometry(frame.width, frame.height, target.width, target.height);
  // An extreme strip can shrink to nothing on its short side: then all is fill.
  const empty = inner.width === 0 || inner.height === 0;
  const taps = letterboxTaps(frame.width, frame.height, target.width, target.height);
  const axis = (tap: Taps, start: number, length: number): Tensor => {
    const count = tap.low.length;
    const fill = Int32Array.from(tap.low, (_, i) => (empty || i < start || i >= start + length ? target.fill : 0));
    const rows = TAP_ROWS.map((name) => (name === 'fill' ? fill : tap[name]));
    const data = new Int32Array(rows.length * count);
    rows.forEach((row, i) => data.set(row, i * count));
    return new Tensor('int32', data, [rows.length, count]);
  };
  const { padX, padY, gain } = sourceMapping(frame.width, frame.height, target.width, target.height);
  const mapping = [padX, padY, padX, padY, gain, gain, gain, gain];
  const limits = [frame.width, frame.height, frame.width, frame.height];
  return {
    rows: axis(taps.rows, inner.top, inner.height),
    columns: axis(taps.columns, inner.left, inner.width),
    to_source: new Tensor('float64', Float64Array.from([...mapping, ...limits]), [3, 4]),
  };
}
