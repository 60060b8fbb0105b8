import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readmeTables, withTables } from '../../../scripts/docs/generated-tables.ts';

const readme = readFileSync('README.md', 'utf8');

test('the tables of the README are those of the code (npm run docs writes them)', () => {
  expect(withTables(readme)).toBe(readme);
});

test('a code that is not documented would be noticed', () => {
  const code = readmeTables()['failure-table']!.split('\n').at(-1)!;
  expect(readme).toContain(code);
  expect(withTables(readme.replace(code, ''))).not.toBe(readme.replace(code, ''));
});

test('every command that the README shows exists', async () => {
  const scripts = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const [, name] of readme.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts.scripts)).toContain(name);
});
