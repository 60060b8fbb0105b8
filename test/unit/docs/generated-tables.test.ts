import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { generatedTables, withTable } from '../../../scripts/docs/generated-tables.ts';

describe.each(generatedTables().map((table) => [table.page, table.name, table] as const))(
  '%s: %s',
  (page, _name, table) => {
    const text = readFileSync(page, 'utf8');

    test('is what the code says (npm run docs writes it)', () => {
      expect(withTable(text, table)).toBe(text);
    });

    test('would be noticed without its last row', () => {
      const row = table.text.split('\n').at(-1)!;
      expect(text).toContain(row);
      const without = text.replace(row, '');
      expect(withTable(without, table)).not.toBe(without);
    });
  },
);

test('a page without the markers is refused', () => {
  expect(() => withTable('no table here', { page: 'docs/x.md', name: 'codes', text: '' })).toThrow(
    'docs/x.md has no markers for codes',
  );
});
