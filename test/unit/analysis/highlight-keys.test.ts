import { expect, test } from '@jest/globals';
import { highlightFolder, highlightKeys } from '../../../src/analysis/highlight-keys.ts';

const LONGEST_LABEL = '🧍'.repeat(120);
const MAX_KEY_BYTES = 1_024;

test.each([
  ['v-17', 'v-17'],
  ['store/17 käfer', 'store%2F17%20k%C3%A4fer'],
  ['a'.repeat(255), 'a'.repeat(255)],
  ['キャメラ', '%E3%82%AD%E3%83%A3%E3%83%A1%E3%83%A9'],
])('a short id keeps the folder that it had (%#)', (id, folder) => {
  expect(highlightFolder(id)).toBe(folder);
});

const unit = (text: string): string => text.repeat(500).slice(0, 500);
const HOSTILE: readonly string[] = [
  ...['a', 'é', 'カ', '🧍', '%', '/', '.', '\n', '\u0007', '\u202e', ' ', '\\', '~'].map(unit),
  '.',
  '..',
  '...',
  '../..',
  '/',
  '//',
  '/etc/passwd',
  '%2e%2e',
  '~',
  'a\u0000b',
  '\ud800',
  'x\udfff',
  `${'a'.repeat(178)}🧍${'b'.repeat(100)}`,
  `${'.'.repeat(400)}a`,
];

test.each(HOSTILE.map((id) => [id]))('no id makes a key that a store or a URL would trouble (%#)', (id) => {
  const folder = highlightFolder(id);
  expect(highlightFolder(id)).toBe(folder);
  expect(folder).toMatch(/^[\w!~*'().%-]{1,255}$/);
  expect(() => decodeURIComponent(folder)).not.toThrow();
  const events = Array.from({ length: 12 }, () => ({ type: LONGEST_LABEL, startSeconds: 123_456.7 }));
  const keys = highlightKeys(folder, events);
  expect(new Set(keys).size).toBe(events.length);
  for (const key of keys) {
    expect(Buffer.byteLength(key)).toBeLessThanOrEqual(MAX_KEY_BYTES);
    expect(key.isWellFormed()).toBe(true);
    expect(key.split('/')).toHaveLength(3);
    for (const part of key.split('/')) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(400);
    // As a part of a URL it is what it was.
    const path = key.split('/').map(encodeURIComponent).join('/');
    expect(new URL(`https://bucket.test/${path}`).pathname).toBe(`/${path}`);
  }
});

test('ids that begin alike, that no text can hold, or that are the folder of another never share a folder', () => {
  const long = unit('カ');
  const ids = [...HOSTILE, long, `${long.slice(0, 499)}x`, unit('a').slice(0, 256), '\ud801', '\ufffd'];
  // The folders are ids as well, and so are theirs.
  const all = new Set([
    ...ids,
    ...ids.map((id) => highlightFolder(id)),
    ...ids.map((id) => highlightFolder(highlightFolder(id))),
  ]);
  expect(new Set([...all].map((id) => highlightFolder(id))).size).toBe(all.size);
});

test('an action that is called as the second of another has a key of its own', () => {
  const begins = ['fall', 'fall', 'fall_2', 'fall_2', 'fall'].map((type) => ({ type, startSeconds: 1.4 }));
  expect(highlightKeys('7', begins)).toEqual([
    'highlights/7/1.4s_fall.jpg',
    'highlights/7/1.4s_fall_2.jpg',
    'highlights/7/1.4s_fall_2_2.jpg',
    'highlights/7/1.4s_fall_2_3.jpg',
    'highlights/7/1.4s_fall_3.jpg',
  ]);
});
