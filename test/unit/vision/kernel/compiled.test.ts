import { expect, test } from '@jest/globals';
import { sourcesDigest } from '../../../../scripts/kernel/compile.ts';
import { KERNEL_SOURCES } from '../../../../src/generated/kernel/compiled-kernel.ts';

test('the compiled kernel is that of its sources; else run npm run generate:kernel', () => {
  expect(KERNEL_SOURCES).toBe(sourcesDigest('.'));
});
