import { BYTES, put, putSome } from './lanes';

/** A rectangle of a plane becomes one value. */
export function fill(out: usize, stride: usize, width: i32, height: i32, value: f32): void {
  const four = f32x4.splat(value);
  for (let y = 0; y < height; y++, out += stride) {
    let to = out;
    let left = width;
    for (; left >= 4; left -= 4, to += 16) v128.store(to, four);
    for (; left > 0; left--, to += 4) store<f32>(to, value);
  }
}

/** Rows of pixels turn black from one byte to another. */
export function blacken(rows: usize, pitch: usize, count: i32, from: usize, to: usize): void {
  for (let y = 0; y < count; y++, rows += pitch) {
    let at = rows + from;
    const end = rows + to;
    for (; at + 16 <= end; at += 16) v128.store(at, i64x2.splat(0));
    for (; at < end; at++) store<u8>(at, 0);
  }
}

/** How many of these bytes are not zero; `length` bytes a row, `pitch` from row to row. */
export function lit(rows: usize, pitch: usize, count: i32, length: i32): i32 {
  let found = 0;
  for (let y = 0; y < count; y++, rows += pitch) {
    let at = rows;
    let left = length;
    for (; left >= 16; left -= 16, at += 16) {
      found += popcnt(i8x16.bitmask(i8x16.ne(v128.load(at), i64x2.splat(0))));
    }
    for (; left > 0; left--, at++) found += i32(load<u8>(at) != 0);
  }
  return found;
}

// @ts-ignore: decorator
@inline
function splitRow(from: usize, width: i32, out: usize, step: usize, as: i32, levels: usize): void {
  const advance: usize = as == BYTES ? 12 : 16;
  let left = width;
  for (; left > 0; left -= 4, from += 12, out += advance) {
    const pixels = v128.load(from);
    const red = i8x16.swizzle(pixels, i8x16(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1));
    const green = i8x16.swizzle(pixels, i8x16(1, -1, -1, -1, 4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1));
    const blue = i8x16.swizzle(pixels, i8x16(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1));
    if (left >= 4) {
      put(red, out, as, levels);
      put(green, out + step, as, levels + 1024);
      put(blue, out + 2 * step, as, levels + 2048);
    } else {
      putSome(red, left, out, as, levels);
      putSome(green, left, out + step, as, levels + 1024);
      putSome(blue, left, out + 2 * step, as, levels + 2048);
    }
  }
}

/** Rows of pixels as they are. */
export function splitRows(rows: usize, pitch: usize, count: i32, width: i32, out: usize, stride: usize, step: usize, as: i32, levels: usize): void {
  for (let y = 0; y < count; y++, rows += pitch, out += stride) {
    if (as == 0) splitRow(rows, width, out, step, 0, levels);
    else if (as == 1) splitRow(rows, width, out, step, 1, levels);
    else splitRow(rows, width, out, step, 2, levels);
  }
}
