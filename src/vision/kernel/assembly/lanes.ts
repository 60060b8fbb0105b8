/** How levels leave the kernel: floats by division or by a table, or the levels themselves as interleaved bytes. */
export const DIVIDED: i32 = 0;
export const LOOKED_UP: i32 = 1;
export const BYTES: i32 = 2;

/** The first halves of two vectors of 16-bit lanes, taken in turn. */
// @ts-ignore: decorator
@inline
export function firstHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The second halves. */
// @ts-ignore: decorator
@inline
export function secondHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Two pixels of three channels next to each other, as pairs of 16-bit lanes: R R G G B B, and a pair of zeros. */
// @ts-ignore: decorator
@inline
export function pairsOf(pixels: v128): v128 {
  return i8x16.swizzle(pixels, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
}

/** Four levels of one channel to where their pixels lie: `out` moves by 16 bytes, or by 12 where bytes are asked for. */
// @ts-ignore: decorator
@inline
export function put(levels: v128, out: usize, as: i32, table: usize): void {
  if (as == DIVIDED) {
    v128.store(out, f32x4.div(f32x4.convert_i32x4_s(levels), f32x4.splat(255)));
  } else if (as == LOOKED_UP) {
    store<f32>(out, load<f32>(table + ((<usize>i32x4.extract_lane(levels, 0)) << 2)));
    store<f32>(out, load<f32>(table + ((<usize>i32x4.extract_lane(levels, 1)) << 2)), 4);
    store<f32>(out, load<f32>(table + ((<usize>i32x4.extract_lane(levels, 2)) << 2)), 8);
    store<f32>(out, load<f32>(table + ((<usize>i32x4.extract_lane(levels, 3)) << 2)), 12);
  } else {
    store<u8>(out, i32x4.extract_lane(levels, 0));
    store<u8>(out, i32x4.extract_lane(levels, 1), 3);
    store<u8>(out, i32x4.extract_lane(levels, 2), 6);
    store<u8>(out, i32x4.extract_lane(levels, 3), 9);
  }
}

/** One level. */
// @ts-ignore: decorator
@inline
export function putOne(level: i32, out: usize, as: i32, table: usize): void {
  if (as == DIVIDED) store<f32>(out, <f32>level / <f32>255);
  else if (as == LOOKED_UP) store<f32>(out, load<f32>(table + ((<usize>level) << 2)));
  else store<u8>(out, level);
}

/** The first `count` of four levels. */
// @ts-ignore: decorator
@inline
export function putSome(levels: v128, count: i32, out: usize, as: i32, table: usize): void {
  const step: usize = as == BYTES ? 3 : 4;
  putOne(i32x4.extract_lane(levels, 0), out, as, table);
  if (count > 1) putOne(i32x4.extract_lane(levels, 1), out + step, as, table);
  if (count > 2) putOne(i32x4.extract_lane(levels, 2), out + 2 * step, as, table);
}
