import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { namesIn, readPage, tableBelow } from './pages.ts';

test('the table of rooms has every folder of src, once', () => {
  const rooms = tableBelow(readPage('docs/architecture.md'), 'Rooms').flatMap(([room = '']) => namesIn(room));
  // Written at set-up and not in the repository: it may be absent.
  const written = rooms.filter((room) => room !== 'generated').toSorted((a, b) => a.localeCompare(b));
  const folders = readdirSync('src').filter((name) => name !== 'generated');
  expect(written).toEqual(folders.toSorted((a, b) => a.localeCompare(b)));
});
