import type { Box } from './box.ts';
import { letterboxTaps } from './letterbox.ts';
import type { PictureArea } from './picture-area.ts';
import { resizeTaps, type TapGrid, type Taps } from './taps.ts';
import { orientationTaps, type OrientationWindow } from './warp-affine.ts';

/**
 * What a crop is made from: a window of the frame, rectangles in it that count as black, and the taps of the resize,
 * all positions in the window's pixels. The window holds every pixel with a weight.
 */
export interface CropSource extends Pick<Required<PictureArea>, 'window' | 'blanks'> {
  readonly taps: TapGrid;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The crop of `letterbox` on black. */
export function letterboxSource({ window, blanks }: Pick<CropSource, 'window' | 'blanks'>, target: Size): CropSource {
  const { x1, y1, x2, y2 } = window;
  return { window, blanks, taps: letterboxTaps(x2 - x1, y2 - y1, target.width, target.height) };
}

/** The crop of `resizeBilinear`. */
export function stretchedSource(window: Box, target: Size): CropSource {
  const columns = resizeTaps(window.x2 - window.x1, target.width);
  const rows = resizeTaps(window.y2 - window.y1, target.height);
  return { window, blanks: [], taps: { columns, rows } };
}

/** The crop of `orientationCrop`; null where it lies wholly outside the picture, which is black. */
export function orientationSource(picture: Size, box: Box, target: OrientationWindow): CropSource | null {
  const { columns, rows } = orientationTaps(picture, box, target);
  const [x, y] = [tapReach(columns), tapReach(rows)];
  if (x === null || y === null) return null;
  const window = { x1: x.from, y1: y.from, x2: x.to, y2: y.to };
  return { window, blanks: [], taps: { columns: shifted(columns, x.from), rows: shifted(rows, y.from) } };
}

/** The positions that have a weight, as a range with an exclusive end. */
export function tapReach(taps: Taps): { readonly from: number; readonly to: number } | null {
  let from = Infinity;
  let to = -Infinity;
  const meet = (position: number, weight: number): void => {
    if (weight === 0) return;
    from = Math.min(from, position);
    to = Math.max(to, position + 1);
  };
  taps.low.forEach((position, i) => meet(position, taps.lowWeight[i] ?? 0));
  taps.high.forEach((position, i) => meet(position, taps.highWeight[i] ?? 0));
  return from < to ? { from, to } : null;
}

/** Positions counted from `from`; one without a weight could lie outside the window and becomes 0. */
function shifted(taps: Taps, from: number): Taps {
  const shift = (positions: Int32Array, weights: Int32Array): Int32Array =>
    positions.map((position, i) => (weights[i] === 0 ? 0 : position - from));
  return { ...taps, low: shift(taps.low, taps.lowWeight), high: shift(taps.high, taps.highWeight) };
}
