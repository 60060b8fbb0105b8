import type { Box } from './box.ts';
import type { CropSource } from './crop-source.ts';
import type { Taps } from './taps.ts';

/** The lines that a target reads, one after another. */
export interface LinesRead {
  /** Lines of the source, from its top, in rising order; never none. */
  readonly lines: readonly number[];
  /** Of the rows; positions are places in `lines`. */
  readonly rows: Taps;
  /** The place of a line or, where it is not read, of the next one that is. */
  readonly placeOf: (line: number) => number;
}

/** What a target reads of a source of `height` lines: of one that is made smaller, lines have no weight, up to nearly all. */
export function linesRead(rows: Taps, height: number): LinesRead {
  const isRead = new Uint8Array(height);
  const meet = (positions: Int32Array, weights: Int32Array): void => {
    positions.forEach((line, i) => {
      if (weights[i] !== 0) isRead[line] = 1;
    });
  };
  meet(rows.low, rows.lowWeight);
  meet(rows.high, rows.highWeight);
  const lines: number[] = [];
  const places = new Int32Array(height + 1);
  for (let line = 0; line < height; line++) {
    places[line] = lines.length;
    if (isRead[line] === 1) lines.push(line);
  }
  places[height] = lines.length;
  // Black all over, as a source that is shrunk to nothing: a line has to be there.
  if (lines.length === 0) lines.push(0);
  const placeOf = (line: number): number => places[Math.min(Math.max(line, 0), height)] ?? 0;
  const placed = (positions: Int32Array, weights: Int32Array): Int32Array =>
    positions.map((line, i) => (weights[i] === 0 ? 0 : placeOf(line)));
  return {
    lines,
    rows: { ...rows, low: placed(rows.low, rows.lowWeight), high: placed(rows.high, rows.highWeight) },
    placeOf,
  };
}

/** A crop that has of its window only the lines that it reads. */
export interface LeanCrop {
  /** Of the window, from its top. */
  readonly lines: readonly number[];
  /** Of the rows, in places of `lines`. */
  readonly rows: Taps;
  /** Upper and lower edges are places in `lines`. */
  readonly blanks: readonly Box[];
}

/** The crop without the lines of its window that have no weight. */
export function leanCrop({ window, taps, blanks }: CropSource): LeanCrop {
  const { lines, rows, placeOf } = linesRead(taps.rows, window.y2 - window.y1);
  const edges = blanks.map(({ x1, y1, x2, y2 }) => ({ x1, y1: placeOf(y1), x2, y2: placeOf(y2) }));
  return { lines, rows, blanks: edges };
}
