import type { Box } from './box.ts';
import { roundHalfEven } from './round.ts';
import { blackTaps, type TapGrid, type Taps } from './taps.ts';

/** The reference samples on a grid of 1/32 pixel: positions are fixed point with ten bits, then cut to five. */
const GRID_BITS = 5;
const GRID = 1 << GRID_BITS;
const FIXED_BITS = 10;
/** Half a step of the grid, in fixed point. */
const GRID_ROUNDING = 1 << (FIXED_BITS - GRID_BITS - 1);

export interface OrientationWindow {
  readonly width: number;
  readonly height: number;
  /** How much larger than the box the window is. */
  readonly scale: number;
}

/**
 * Where the evaluation crop of MEBOW reads a picture: the box's short side grown around the centre to the target's aspect, enlarged by
 * `scale`, mapped linearly onto width x height so that the centre lands on (width / 2, height / 2). The arithmetic is that of
 * OpenCV's warpAffine up to 4.x; weights are fractions of 2^5 along each axis, 0 beyond the picture's border. Written into
 * `grid` where it is given, which must be black.
 */
export function orientationTaps(
  picture: { readonly width: number; readonly height: number },
  box: Box,
  target: OrientationWindow,
  grid: TapGrid = { columns: blackTaps(target.width), rows: blackTaps(target.height) },
): TapGrid {
  const { width, height } = target;
  const { x, y, stepX, stepY } = sourceMapping(box, target);
  const startX = fixed(x - (width / 2) * stepX);
  const startY = y - (height / 2) * stepY;
  return {
    // The reference rounds a column's two terms each for itself, and a row's sum.
    columns: gridTaps(picture.width, grid.columns, (column) => fixed(column * stepX) + startX),
    rows: gridTaps(picture.height, grid.rows, (row) => fixed(row * stepY + startY)),
  };
}

/** Unit of the reference's scale of a box, in pixels. */
const SCALE_UNIT = 200;

interface SourceMapping {
  /** The point that lands in the middle of the target. */
  readonly x: number;
  readonly y: number;
  /** Source pixels from one target pixel to the next; they may differ in their last bits. */
  readonly stepX: number;
  readonly stepY: number;
}

/**
 * The mapping goes through three points in single precision, as the reference holds them: the box's centre, a point above it at
 * half of the window's width, and one as far to the left of that. The last bits decide which step of 1/32 pixel a row is read at.
 */
function sourceMapping(box: Box, { width, height, scale }: OrientationWindow): SourceMapping {
  const { fround } = Math;
  const boxWidth = box.x2 - box.x1;
  const boxHeight = box.y2 - box.y1;
  const x = fround(box.x1 + boxWidth * 0.5);
  const y = fround(box.y1 + boxHeight * 0.5);
  const grown = fround(Math.max(boxWidth, boxHeight * (width / height)) / SCALE_UNIT);
  const half = fround(fround(grown * fround(scale)) * SCALE_UNIT) / 2;
  const above = fround(y - half);
  const left = fround(x - fround(y - above));
  return { x, y, stepX: (x - left) / (width / 2), stepY: (y - above) / (width / 2) };
}

/** A position in fixed point. */
function fixed(position: number): number {
  return roundHalfEven(position * (1 << FIXED_BITS));
}

function gridTaps(source: number, taps: Taps, positionOf: (place: number) => number): Taps {
  for (let i = 0; i < taps.low.length; i++) {
    const position = (positionOf(i) + GRID_ROUNDING) >> (FIXED_BITS - GRID_BITS);
    const low = position >> GRID_BITS;
    const fraction = position & (GRID - 1);
    // A pixel beyond the border weighs nothing: outside is black.
    if (low >= 0 && low < source) {
      taps.low[i] = low;
      taps.lowWeight[i] = GRID - fraction;
    }
    if (low + 1 >= 0 && low + 1 < source) {
      taps.high[i] = low + 1;
      taps.highWeight[i] = fraction;
    }
  }
  return taps;
}
