import { expect, test } from '@jest/globals';
import { judgeSoak } from '../../soak/judge.ts';
import type { Reading } from '../../soak/reading.ts';

const MIB = 1024 ** 2;
const FLAT: Reading = {
  memory: { heapUsed: 30 * MIB, external: 16 * MIB, rss: 150 * MIB },
  counts: { 'open files': 20, 'listeners of the root signal': 1 },
  sockets: 12,
};
const tenths = (last: Partial<Reading>): Reading[] => [
  // The first one warms up and is not compared.
  { ...FLAT, memory: { heapUsed: 1, external: 1, rss: 1 }, counts: {} },
  ...Array.from({ length: 8 }, () => FLAT),
  { ...FLAT, ...last },
];

test('a soak that stays as it is is flat, and so is one that shrinks', () => {
  expect(judgeSoak(tenths({}), 4)).toEqual([]);
  expect(judgeSoak(tenths({ counts: { 'open files': 19 }, sockets: 3 }), 4)).toEqual([]);
  expect(judgeSoak(tenths({ memory: { ...FLAT.memory, rss: 157 * MIB } }), 4)).toEqual([]);
});

test.each<[string, Partial<Reading>, RegExp]>([
  ['memory', { memory: { ...FLAT.memory, heapUsed: 32 * MIB } }, /heapUsed grew from 30.00 to 32.00 MiB/],
  ['buffers', { memory: { ...FLAT.memory, external: 17 * MIB } }, /external grew/],
  ['one listener', { counts: { ...FLAT.counts, 'listeners of the root signal': 2 } }, /root signal: 1 .* 2 after/],
  ['what was not there before', { counts: { ...FLAT.counts, 'active ProcessWrap': 1 } }, /ProcessWrap: 0 .* 1/],
  ['more sockets than the pools hold', { sockets: 17 }, /sockets grew from 12 to 17/],
])('growth is told: %s', (_what, last, words) => {
  expect(judgeSoak(tenths(last), 4)).toEqual([expect.stringMatching(words)]);
});

test('without a second and a last tenth nothing is said to be flat', () => {
  expect(judgeSoak([FLAT], 4)).toEqual(['too few readings']);
});
