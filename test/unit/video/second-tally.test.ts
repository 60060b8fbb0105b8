import { expect, test } from '@jest/globals';
import { SecondTally } from '../../../src/video/clock/second-tally.ts';

test('frames are counted in the second that they begin in', () => {
  const tally = new SecondTally();
  for (const micros of [0, 999_999, 1_000_000, 3_500_000, 2_999_999]) tally.add(micros);
  expect(tally.perSecond).toEqual([2, 1, 1, 1]);
});

test('a time before the first second counts as in it', () => {
  const tally = new SecondTally();
  tally.add(-5_000_000);
  expect(tally.perSecond).toEqual([1]);
});

test('a time that no video reaches takes no more memory than the longest one', () => {
  const tally = new SecondTally();
  tally.add(Number.MAX_SAFE_INTEGER);
  tally.add(Number.MAX_SAFE_INTEGER);
  expect(tally.perSecond.length).toBe(30 * 86_400 + 1);
  expect(tally.perSecond.at(-1)).toBe(2);
});
