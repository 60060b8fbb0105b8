import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const PITFALLS = 38;

test('every known pitfall of an SQS worker has a test that carries its number', () => {
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
  const named = new Set<number>();
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    // In the title of a test: a comment proves nothing.
    for (const [, first, second] of text.matchAll(
      /^\s*(?:test\(|\]\)\()?\s*['"`][^'"`\n]*pitfall (\d+)(?: and (\d+))?:/gm,
    )) {
      for (const number of [first, second]) if (number !== undefined) named.add(Number(number));
    }
  }
  const missing = Array.from({ length: PITFALLS }, (_, index) => index + 1).filter((number) => !named.has(number));
  expect(missing).toEqual([]);
});
