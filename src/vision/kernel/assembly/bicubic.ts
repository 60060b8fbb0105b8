import { BYTES, firstHalves, pairsOf, put, putSome, secondHalves } from './lanes';

/** Weights are fractions of 2^22; split at bit 11, so that both parts fit the 16-bit products. */
const PRECISION: i32 = 22;
const HALF: i32 = 1 << 21;
const SPLIT: i32 = 11;
const LOW_PART: i32 = (1 << SPLIT) - 1;

/** Target pixels along each side. */
let size: i32 = 0;
/** Pairs of taps of each target place, the same for all: what a place does not need weighs nothing. */
let pairs: i32 = 0;
let columns: usize = 0;
let lines: usize = 0;
/** Resized rows in turn: three planes of bytes each. */
let ring: usize = 0;
let ringRows: i32 = 0;
/** Where the rows lie that the present target row is mixed of, two for each pair. */
let rowsOfTarget: usize = 0;
/** Bytes of one channel of such a row. */
let plane: usize = 0;
/** The next source row, and the next target row. */
let row: i32 = 0;
let target: i32 = 0;

/** Bytes of a place's packed taps: its first position, its count, then high and low parts of the weights, pair by pair. */
// @ts-ignore: decorator
@inline
function tapBytes(): usize {
  return 8 + (<usize>pairs << 3);
}

/**
 * Packs the taps of one axis: `first` and `count` per place and `stride` weights for each. Only positions `from` to `to` hold
 * a picture and count on from zero; what lies outside is black. `unit` is the size of a position, in bytes or rows. The places
 * go on to a multiple of four, without weights.
 */
export function packTaps(first: usize, count: usize, weights: usize, stride: i32, places: i32, pairCount: i32, from: i32, to: i32, unit: i32, out: usize): void {
  const padded = (places + 3) & ~3;
  for (let i = 0; i < padded; i++, out += 8 + (<usize>pairCount << 3)) {
    if (i >= places) {
      memory.fill(out, 0, 8 + (<usize>pairCount << 3));
      continue;
    }
    const start = load<i32>(first + (<usize>i << 2));
    const begin = max(start, from);
    const end = min(start + load<i32>(count + (<usize>i << 2)), to);
    const used = max(end - begin, 0);
    store<i32>(out, used == 0 ? 0 : (begin - from) * unit);
    store<i32>(out, used, 4);
    const weight = weights + (<usize>(i * stride + begin - start) << 2);
    for (let k = 0; k < pairCount; k++) {
      const a = 2 * k < used ? load<i32>(weight + (<usize>k << 3)) : 0;
      const b = 2 * k + 1 < used ? load<i32>(weight + (<usize>k << 3), 4) : 0;
      const pair = out + 8 + (<usize>k << 3);
      store<i32>(pair, ((a >> SPLIT) & 0xffff) | ((b >> SPLIT) << 16));
      store<i32>(pair, (a & LOW_PART) | ((b & LOW_PART) << 16), 4);
    }
  }
}

/** Begins a picture: packed taps of both axes, room for `rowCount` resized rows, and for two addresses a pair. */
export function beginSquare(side: i32, pairCount: i32, columnTaps: usize, lineTaps: usize, rows: usize, rowCount: i32, addresses: usize): void {
  size = side;
  pairs = pairCount;
  columns = columnTaps;
  lines = lineTaps;
  ring = rows;
  ringRows = rowCount;
  plane = <usize>((side + 15) & ~15);
  rowsOfTarget = addresses;
  row = 0;
  target = 0;
}

// @ts-ignore: decorator
@inline
function levelsOf(high: v128, low: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.add(i32x4.shl(high, SPLIT), low), i32x4.splat(HALF)), PRECISION);
}

// @ts-ignore: decorator
@inline
function pixelLevels(source: usize, tap: usize): v128 {
  let at = source + <usize>load<u32>(tap);
  let high = i32x4.splat(0);
  let low = i32x4.splat(0);
  tap += 8;
  for (let k = pairs; k > 0; k--, tap += 8, at += 6) {
    const pixels = pairsOf(v128.load64_zero(at));
    high = i32x4.add(high, i32x4.dot_i16x8_s(pixels, v128.load32_splat(tap)));
    low = i32x4.add(low, i32x4.dot_i16x8_s(pixels, v128.load32_splat(tap, 4)));
  }
  return levelsOf(high, low);
}

/** A source row becomes three rows of bytes; each level is rounded and clipped. */
function resizeRow(source: usize, out: usize): void {
  const bytes = tapBytes();
  let tap = columns;
  for (let x = 0; x < size; x += 4, tap += 4 * bytes, out += 4) {
    const ab = i16x8.narrow_i32x4_s(pixelLevels(source, tap), pixelLevels(source, tap + bytes));
    const cd = i16x8.narrow_i32x4_s(pixelLevels(source, tap + 2 * bytes), pixelLevels(source, tap + 3 * bytes));
    const even = firstHalves(ab, cd);
    const odd = secondHalves(ab, cd);
    const levels = i8x16.narrow_i16x8_u(firstHalves(even, odd), secondHalves(even, odd));
    v128.store32_lane(out, levels, 0);
    v128.store32_lane(out + plane, levels, 1);
    v128.store32_lane(out + 2 * plane, levels, 2);
  }
}

// @ts-ignore: decorator
@inline
function slot(position: i32): usize {
  return ring + <usize>(position % ringRows) * 3 * plane;
}

// @ts-ignore: decorator
@inline
function clipped(high: v128, low: v128): v128 {
  return i32x4.min_s(i32x4.max_s(levelsOf(high, low), i32x4.splat(0)), i32x4.splat(255));
}

// @ts-ignore: decorator
@inline
function putClipped(levels: v128, left: i32, out: usize, as: i32, table: usize): void {
  if (left >= 4) put(levels, out, as, table);
  else if (left > 0) putSome(levels, left, out, as, table);
}

/** One target row from the resized rows that it is mixed of. */
// @ts-ignore: decorator
@inline
function blendRow(tap: usize, out: usize, step: usize, as: i32, levels: usize): void {
  const first = load<i32>(tap);
  const used = load<i32>(tap, 4);
  const advance: usize = as == BYTES ? 12 : 16;
  const usedPairs = (used + 1) >> 1;
  for (let k = 0; k < 2 * usedPairs; k++) {
    // Of an odd count the last row stands twice; its second weight is nothing.
    store<usize>(rowsOfTarget + (<usize>k << 2), slot(first + min(k, used - 1)));
  }
  for (let channel: usize = 0; channel < 3; channel++) {
    const table = levels + (channel << 10);
    let to = out + channel * step;
    for (let x = 0; x < size; x += 16, to += 4 * advance) {
      const inside = channel * plane + <usize>x;
      let h0 = i32x4.splat(0), h1 = i32x4.splat(0), h2 = i32x4.splat(0), h3 = i32x4.splat(0);
      let l0 = i32x4.splat(0), l1 = i32x4.splat(0), l2 = i32x4.splat(0), l3 = i32x4.splat(0);
      for (let k = 0; k < usedPairs; k++) {
        const weight = tap + 8 + (<usize>k << 3);
        const a = v128.load(load<usize>(rowsOfTarget + (<usize>k << 3)) + inside);
        const b = v128.load(load<usize>(rowsOfTarget + (<usize>k << 3), 4) + inside);
        const upper = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const under = v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        const high = v128.load32_splat(weight);
        const low = v128.load32_splat(weight, 4);
        const p0 = i16x8.extend_low_i8x16_u(upper), p1 = i16x8.extend_high_i8x16_u(upper);
        const p2 = i16x8.extend_low_i8x16_u(under), p3 = i16x8.extend_high_i8x16_u(under);
        h0 = i32x4.add(h0, i32x4.dot_i16x8_s(p0, high));
        h1 = i32x4.add(h1, i32x4.dot_i16x8_s(p1, high));
        h2 = i32x4.add(h2, i32x4.dot_i16x8_s(p2, high));
        h3 = i32x4.add(h3, i32x4.dot_i16x8_s(p3, high));
        l0 = i32x4.add(l0, i32x4.dot_i16x8_s(p0, low));
        l1 = i32x4.add(l1, i32x4.dot_i16x8_s(p1, low));
        l2 = i32x4.add(l2, i32x4.dot_i16x8_s(p2, low));
        l3 = i32x4.add(l3, i32x4.dot_i16x8_s(p3, low));
      }
      putClipped(clipped(h0, l0), size - x, to, as, table);
      putClipped(clipped(h1, l1), size - x - 4, to + advance, as, table);
      putClipped(clipped(h2, l2), size - x - 8, to + 2 * advance, as, table);
      putClipped(clipped(h3, l3), size - x - 12, to + 3 * advance, as, table);
    }
  }
}

// @ts-ignore: decorator
@inline
function emit(all: bool, out: usize, step: usize, as: i32, levels: usize): void {
  const stride = <usize>size * (as == BYTES ? 3 : 4);
  for (; target < size; target++) {
    const tap = lines + <usize>target * tapBytes();
    if (!all && load<i32>(tap) + load<i32>(tap, 4) > row) return;
    blendRow(tap, out + <usize>target * stride, step, as, levels);
  }
}

function emitAs(all: bool, out: usize, step: usize, as: i32, levels: usize): void {
  if (as == 0) emit(all, out, step, 0, levels);
  else if (as == 1) emit(all, out, step, 1, levels);
  else emit(all, out, step, 2, levels);
}

/** The next `count` source rows, `pitch` bytes apart; every target row that is then complete is written. */
export function squareRows(source: usize, pitch: usize, count: i32, out: usize, step: usize, as: i32, levels: usize): void {
  for (let i = 0; i < count; i++, source += pitch) {
    resizeRow(source, slot(row));
    row += 1;
    emitAs(false, out, step, as, levels);
  }
}

/** The target rows that are left, which hold nothing of the picture. */
export function endSquare(out: usize, step: usize, as: i32, levels: usize): void {
  emitAs(true, out, step, as, levels);
}
