import { existsSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { type KnownTest, SLOW_FILES, startsFirst } from '../../harness/slow-first.ts';
import { renderSuiteTimes } from '../../harness/suite-times.ts';

test('the table sums up each suite and names the ten slowest files', () => {
  const many = Array.from({ length: 10 }, (_, i) => ({ file: `test/unit/deep/er/u${i}.test.ts`, seconds: 1 + i / 10 }));
  const table = renderSuiteTimes(
    [
      ...many,
      { file: 'test/integration/video/a.test.ts', seconds: 12 },
      { file: 'test/integration/video/deep/b.test.ts', seconds: 0.5 },
      { file: 'test/e2e/c.test.ts', seconds: 20.04 },
    ],
    31,
  );
  expect(table.split('\n')).toEqual([
    'Seconds of each suite, of all its files together (47 s in 31 s):',
    '   20.0  test/e2e (1 file)',
    '   14.5  test/unit (10 files)',
    '   12.5  test/integration/video (2 files)',
    'The slowest files:',
    '   20.0  test/e2e/c.test.ts',
    '   12.0  test/integration/video/a.test.ts',
    ...[9, 8, 7, 6, 5, 4, 3, 2].map((i) => `    1.${i}  test/unit/deep/er/u${i}.test.ts`),
    '',
  ]);
});

const known = (file: string, facts: Partial<KnownTest> = {}): KnownTest => ({
  file,
  failedLast: false,
  lastTook: undefined,
  ...facts,
});

test('what failed starts first, then what took longest here, then what is listed as slow', () => {
  const [slowest = '', second = ''] = SLOW_FILES;
  const order = [
    known('unknown'),
    known(second),
    known('short', { lastTook: 20 }),
    known(slowest),
    known('long', { lastTook: 9_000 }),
    known('failed', { lastTook: 10, failedLast: true }),
  ].toSorted(startsFirst);
  expect(order.map(({ file }) => file)).toEqual(['failed', 'long', slowest, second, 'short', 'unknown']);
});

test('every file of the list is there, once', () => {
  expect(SLOW_FILES.filter((file) => !existsSync(file))).toEqual([]);
  expect(new Set(SLOW_FILES).size).toBe(SLOW_FILES.length);
});
