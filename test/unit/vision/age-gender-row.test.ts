import { expect, test } from '@jest/globals';
import { readAgeGender } from '../../../src/vision/age-gender-row.ts';
import { writeAgeGenderRow } from '../../oracle/write-age-gender-row.ts';
import { flat } from './pictures.ts';

const PLAIN = { size: 2, mean: [0, 0, 0], std: [1, 1, 1] };
const CONSTANTS = { minAge: 1, maxAge: 95, avgAge: 48 };

test('face planes first, then body planes; padding is black', () => {
  const out = new Float32Array(24);
  writeAgeGenderRow(flat(2, 2, 255), flat(2, 1, 51), out, 0, PLAIN);
  expect([...out.subarray(0, 12)].every((value) => value === 1)).toBe(true);
  const plane = [0.2, 0.2, 0, 0].map(Math.fround);
  expect([...out.subarray(12)]).toEqual([...plane, ...plane, ...plane]);
});

test('what is absent is a black picture, normalised, not zeros', () => {
  const settings = { size: 1, mean: [0.5, 0.25, 0], std: [0.5, 0.5, 0.5] };
  const out = new Float32Array(6);
  writeAgeGenderRow(null, flat(1, 1, 255), out, 0, settings);
  expect([...out]).toEqual([-1, -0.5, 0, 1, 1.5, 2]);
  writeAgeGenderRow(flat(1, 1, 255), null, out, 0, settings);
  expect([...out]).toEqual([1, 1.5, 2, -1, -0.5, 0]);
});

test('rows of a batch do not touch each other', () => {
  const out = new Float32Array(18).fill(7);
  writeAgeGenderRow(null, null, out, 6, { size: 1, mean: [0, 0, 0], std: [1, 1, 1] });
  expect([...out]).toEqual(Array.from(out, (_, i) => (i >= 6 && i < 12 ? 0 : 7)));
});

test('age is spread around the average and rounded half to even', () => {
  expect(readAgeGender([0, 0, 0], CONSTANTS).age).toBe(48);
  // 48 + 94 * 0.1875 = 65.625
  expect(readAgeGender(Float32Array.of(0, 0, 0.1875), CONSTANTS).age).toBe(65.62);
  expect(readAgeGender([0, 0, -0.75], CONSTANTS).age).toBe(-22.5);
});

test('the larger logit is the gender; male of equal ones', () => {
  const male = readAgeGender([Math.log(3), 0, 0], CONSTANTS);
  expect(male.gender).toBe('male');
  expect(male.genderScore).toBeCloseTo(0.75, 12);
  expect(readAgeGender([0, 20, 0], CONSTANTS)).toMatchObject({ gender: 'female' });
  expect(readAgeGender([1, 1, 0], CONSTANTS)).toMatchObject({ gender: 'male', genderScore: 0.5 });
});
