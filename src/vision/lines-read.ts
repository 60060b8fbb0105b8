import type { Box } from './box.ts';
import type { CropSource } from './crop-source.ts';
import type { Taps } from './taps.ts';

/** A crop whose window is only the lines that it reads, one after another. */
export interface LinesRead {
  /** Lines of the window, from its top, in rising order; never none. */
  readonly lines: readonly number[];
  /** Of the rows; positions are places in `lines`. */
  readonly rows: Taps;
  /** Upper and lower edges are places in `lines`. */
  readonly blanks: readonly Box[];
}

/** What a crop reads of its window: a window that is made smaller has lines without a weight, up to nearly all. */
export function linesRead({ window, taps: { rows }, blanks }: CropSource): LinesRead {
  const height = window.y2 - window.y1;
  const isRead = new Uint8Array(height);
  rows.low.forEach((line, i) => (isRead[line] = (isRead[line] ?? 0) | Number(rows.lowWeight[i] !== 0)));
  rows.high.forEach((line, i) => (isRead[line] = (isRead[line] ?? 0) | Number(rows.highWeight[i] !== 0)));
  const lines: number[] = [];
  /** How many lines before each one are read. */
  const placeOf = new Int32Array(height + 1);
  for (let line = 0; line < height; line++) {
    placeOf[line] = lines.length;
    if (isRead[line] === 1) lines.push(line);
  }
  placeOf[height] = lines.length;
  // Black all over, as a window that is shrunk to nothing: something has to travel.
  if (lines.length === 0) lines.push(0);
  const place = (positions: Int32Array, weights: Int32Array): Int32Array =>
    positions.map((line, i) => (weights[i] === 0 ? 0 : (placeOf[line] ?? 0)));
  const edge = (y: number): number => placeOf[Math.min(Math.max(Math.ceil(y), 0), height)] ?? 0;
  return {
    lines,
    rows: { ...rows, low: place(rows.low, rows.lowWeight), high: place(rows.high, rows.highWeight) },
    blanks: blanks.map(({ x1, y1, x2, y2 }) => ({ x1, y1: edge(y1), x2, y2: edge(y2) })),
  };
}
