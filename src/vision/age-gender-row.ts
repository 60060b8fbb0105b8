import { letterbox } from './letterbox.ts';
import type { Picture } from './picture.ts';
import { writePlanes, type Normalisation } from './planes.ts';
import { roundDecimals } from './round.ts';
import { softmax } from './softmax.ts';

/**
 * Writes one row [6, size, size] (face RGB, then body RGB) from `offset` on: letterboxed on black, normalised. An absent
 * part is a black picture normalised like any other, not zeros.
 */
export function writeAgeGenderRow(
  face: Picture | null,
  body: Picture | null,
  out: Float32Array,
  offset: number,
  settings: Normalisation & { readonly size: number },
): void {
  const { size } = settings;
  const black = (): Picture => ({ width: size, height: size, pixels: new Uint8Array(size * size * 3) });
  writePlanes(face === null ? black() : letterbox(face, size, size, 0), out, offset, settings);
  writePlanes(body === null ? black() : letterbox(body, size, size, 0), out, offset + 3 * size * size, settings);
}

/** Reads one output row [male logit, female logit, age]; age = x * (maxAge - minAge) + avgAge, rounded to two decimals. */
export function readAgeGender(
  row: ArrayLike<number>,
  constants: { readonly minAge: number; readonly maxAge: number; readonly avgAge: number },
): { readonly age: number; readonly gender: 'male' | 'female'; readonly genderScore: number } {
  const [male = 0, female = 0] = softmax([row[0] ?? 0, row[1] ?? 0]);
  return {
    age: roundDecimals((row[2] ?? 0) * (constants.maxAge - constants.minAge) + constants.avgAge, 2),
    gender: male >= female ? 'male' : 'female',
    genderScore: Math.max(male, female),
  };
}
