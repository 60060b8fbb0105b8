import { firstHalves, pairsOf, put, putSome, secondHalves } from './lanes';

/** Bytes of a packed tap: where its two pixels begin, and their two 16-bit weights. */
const TAP: usize = 8;

let columns: usize = 0;
let width: i32 = 0;
/** Bytes from one channel's sums to the next one's. */
let plane: usize = 0;
/** Sums of two source rows, and which rows they are. */
let above: usize = 0;
let below: usize = 0;
let aboveRow: i32 = -1;
let belowRow: i32 = -1;

/**
 * Begins a picture: `taps` are packed columns, `sums` has room for two rows of sums; `count` target columns.
 */
export function beginRows(taps: usize, count: i32, sums: usize): void {
  columns = taps;
  width = count;
  plane = <usize>((count + 7) & ~7) << 1;
  above = sums;
  below = sums + 3 * plane;
  aboveRow = -1;
  belowRow = -1;
}

/**
 * Columns of four 32-bit tables (positions and weights, one pair each) become packed taps for a window that begins at
 * `origin`; up to the next multiple of four the rest weighs nothing.
 */
export function packColumns(tables: usize, count: i32, origin: i32, out: usize): void {
  const stride = <usize>count << 2;
  for (let i = 0; i < ((count + 3) & ~3); i++, out += TAP) {
    if (i >= count) {
      store<u64>(out, 0);
      continue;
    }
    const at = tables + (<usize>i << 2);
    const low = load<i32>(at);
    const high = load<i32>(at + stride);
    const lowWeight = load<i32>(at + 2 * stride);
    const highWeight = load<i32>(at + 3 * stride);
    // Both may be the same pixel, at a border: it then weighs both, and its neighbour, which may not be there, nothing.
    const single = lowWeight == 0 || highWeight == 0 || low == high;
    const first = lowWeight == 0 ? high : low;
    const any = (lowWeight | highWeight) != 0;
    store<i32>(out, any ? (first - origin) * 3 : 0);
    store<i32>(out, single ? lowWeight + highWeight : lowWeight | (highWeight << 16), 4);
  }
}

// @ts-ignore: decorator
@inline
function pixelSums(row: usize, tap: usize, shift: i32): v128 {
  const pixels = v128.load64_zero(row + <usize>load<u32>(tap));
  const sums = i32x4.dot_i16x8_s(pairsOf(pixels), v128.load32_splat(tap + 4));
  return shift == 0 ? sums : i32x4.shr_s(sums, shift);
}

/** A source row becomes three rows of 16-bit sums, one per channel. */
// @ts-ignore: decorator
@inline
function sumRow(row: usize, shift: i32, out: usize): void {
  const end = out + (<usize>((width + 3) & ~3) << 1);
  for (let tap = columns; out < end; tap += 4 * TAP, out += 8) {
    const ab = i16x8.narrow_i32x4_s(pixelSums(row, tap, shift), pixelSums(row, tap + TAP, shift));
    const cd = i16x8.narrow_i32x4_s(pixelSums(row, tap + 2 * TAP, shift), pixelSums(row, tap + 3 * TAP, shift));
    const even = firstHalves(ab, cd);
    const odd = secondHalves(ab, cd);
    const redGreen = firstHalves(even, odd);
    v128.store64_lane(out, redGreen, 0);
    v128.store64_lane(out + plane, redGreen, 1);
    v128.store64_lane(out + 2 * plane, secondHalves(even, odd), 0);
  }
}

/** The levels of four places from their two sums, taken in turn. */
// @ts-ignore: decorator
@inline
function blend(sums: v128, first: v128, second: v128, exactGrid: bool): v128 {
  if (exactGrid) {
    return i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(sums, first), i32x4.splat(512)), 10);
  }
  // Each product is cut to an integer on its own.
  const a = i32x4.shr_s(i32x4.dot_i16x8_s(sums, first), 16);
  const b = i32x4.shr_s(i32x4.dot_i16x8_s(sums, second), 16);
  return i32x4.shr_s(i32x4.add(i32x4.add(a, b), i32x4.splat(2)), 2);
}

// @ts-ignore: decorator
@inline
function blendRow(lower: usize, lowWeight: i32, highWeight: i32, grid: bool, out: usize, step: usize, as: i32, levels: usize): void {
  const first = i32x4.splat(grid ? lowWeight | (highWeight << 16) : lowWeight);
  const second = i32x4.splat(highWeight << 16);
  for (let channel: usize = 0; channel < 3; channel++) {
    let a = above + channel * plane;
    let b = lower + channel * plane;
    let to = out + channel * step;
    const table = levels + (channel << 10);
    let left = width;
    for (; left >= 8; left -= 8, a += 16, b += 16, to += 32) {
      const upper = v128.load(a);
      const under = v128.load(b);
      put(blend(firstHalves(upper, under), first, second, grid), to, as, table);
      put(blend(secondHalves(upper, under), first, second, grid), to + 16, as, table);
    }
    if (left == 0) continue;
    const upper = v128.load(a);
    const under = v128.load(b);
    const rest = blend(firstHalves(upper, under), first, second, grid);
    if (left < 4) {
      putSome(rest, left, to, as, table);
      continue;
    }
    put(rest, to, as, table);
    if (left > 4) putSome(blend(secondHalves(upper, under), first, second, grid), left - 4, to + 16, as, table);
  }
}

/**
 * `count` target rows. `lines` holds for each: its two source rows, their weights, and where their pixels lie; six 32-bit
 * numbers. `out` is the first pixel of the first plane, `stride` bytes from row to row, `step` from plane to plane.
 */
// @ts-ignore: decorator
@inline
function rows(lines: usize, count: i32, grid: bool, out: usize, stride: usize, step: usize, as: i32, levels: usize): void {
  for (let y = 0; y < count; y++, lines += 24, out += stride) {
    const lowRow = load<i32>(lines);
    const highRow = load<i32>(lines, 4);
    const lowWeight = load<i32>(lines, 8);
    const highWeight = load<i32>(lines, 12);
    // Going down, the lower row of one line is often the upper row of the next.
    if (lowRow != aboveRow && lowRow == belowRow) {
      const sums = above;
      above = below;
      below = sums;
      belowRow = aboveRow;
      aboveRow = lowRow;
    }
    const shift = grid ? 0 : 4;
    if (lowRow != aboveRow) {
      sumRow(<usize>load<u32>(lines, 16), shift, above);
      aboveRow = lowRow;
    }
    let lower = above;
    if (highRow != lowRow) {
      lower = below;
      if (highRow != belowRow) {
        sumRow(<usize>load<u32>(lines, 20), shift, below);
        belowRow = highRow;
      }
    }
    blendRow(lower, lowWeight, highWeight, grid, out, step, as, levels);
  }
}

/** Rows of a resize, whose weights are fractions of 2^11 and whose products are cut one by one. */
export function resizedRows(lines: usize, count: i32, out: usize, stride: usize, step: usize, as: i32, levels: usize): void {
  if (as == 0) rows(lines, count, false, out, stride, step, 0, levels);
  else rows(lines, count, false, out, stride, step, 1, levels);
}

/** Rows of an affine crop, whose weights are fractions of 2^5 and whose sum is rounded once. */
export function griddedRows(lines: usize, count: i32, out: usize, stride: usize, step: usize, as: i32, levels: usize): void {
  if (as == 0) rows(lines, count, true, out, stride, step, 0, levels);
  else rows(lines, count, true, out, stride, step, 1, levels);
}
