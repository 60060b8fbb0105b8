/** An axis-aligned box in pixels of the picture it belongs to; `x2`,`y2` are exclusive edges. */
export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}
