import { expect, test } from '@jest/globals';
import { FAILURE_CODES } from '../../../src/failure/codes.ts';
import { DEMUXERS } from '../../../src/video/probe/run-ffprobe.ts';
import { namesIn, readPage, tableBelow } from './pages.ts';

const page = readPage('docs/footage.md');

/** The names in one column of the table below a heading. */
function namesBelow(heading: string, column: number): ReadonlySet<string> {
  return new Set(tableBelow(page, heading).flatMap((cells) => namesIn(cells[column] ?? '')));
}

test('the containers are those that may be opened', () => {
  expect(namesBelow('What is accepted', 1)).toEqual(new Set(DEMUXERS.split(',')));
});

test('what is refused has a code, and is the fault of the file for good', () => {
  const codes = namesBelow('What is refused', 0);
  const ofVideos = Object.keys(FAILURE_CODES).filter((code) => /VIDEO/.test(code));
  expect([...codes].filter((code) => /VIDEO/.test(code)).toSorted()).toEqual(ofVideos.toSorted());
  for (const code of codes) {
    expect(FAILURE_CODES).toHaveProperty(code, expect.objectContaining({ class: 'permanent' }));
  }
});
