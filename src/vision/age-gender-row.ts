import { roundDecimals } from './round.ts';
import { softmax } from './softmax.ts';

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
