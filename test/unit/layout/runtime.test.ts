import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const SRC = new URL('../../../src/', import.meta.url);
const PACKAGE = new URL('../../../package.json', import.meta.url);
/** Classes that the oldest Node of `engines` does not have, though the compiler and the Node of the tests do. */
const NEWER_THAN_22 = /\bnew (Async)?DisposableStack\b|\bnew SuppressedError\b/;

test('nothing of src needs a newer Node than package.json asks for', () => {
  const { engines } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { readonly engines: { readonly node: string } };
  expect(engines.node).toBe('>=22.18');
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((name) => NEWER_THAN_22.test(readFileSync(new URL(name, SRC), 'utf8')))).toEqual([]);
});
