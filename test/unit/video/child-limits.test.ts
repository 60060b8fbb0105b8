import { expect, test } from '@jest/globals';
import { limitsFor } from '../../../src/video/tools/child-process.ts';

const GIB = 1024 ** 3;

test('a thread more may take its time, and the memory of its picture', () => {
  expect(limitsFor(10_000, 1, undefined)).toEqual({ cpuSeconds: 21, memoryBytes: 4 * GIB });
  expect(limitsFor(10_000, 16, undefined)).toEqual({ cpuSeconds: 171, memoryBytes: 4 * GIB + (15 * GIB) / 4 });
});

test('a limit of memory that was set is taken as it is', () => {
  expect(limitsFor(10_000, 16, GIB).memoryBytes).toBe(GIB);
});
