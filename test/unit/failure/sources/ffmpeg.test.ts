import { expect, test } from '@jest/globals';
import { meaningOfLastWords } from '../../../../src/failure/sources/ffmpeg.ts';

test.each([
  ['[hls] Format not on whitelist', { code: 'VIDEO_FORMAT_FORBIDDEN', container: 'hls' }],
  ['[image2,png_pipe] Format not on whitelist', { code: 'VIDEO_FORMAT_FORBIDDEN', container: 'image2,png_pipe' }],
  ['x | [mp3] Format not on whitelist | y', { code: 'NOT_A_VIDEO', container: 'mp3' }],
  // A name that only begins like that of a format without pictures.
  ['[asset] Format not on whitelist', { code: 'VIDEO_FORMAT_FORBIDDEN', container: 'asset' }],
  ['[mov,mp4] moov atom not found', { code: 'VIDEO_TRUNCATED', container: null }],
  ['File ended prematurely', { code: 'VIDEO_TRUNCATED', container: null }],
  ['partial file | Exiting normally, received signal 24.', { code: 'VIDEO_TRUNCATED', container: null }],
  ['received signal 24', null],
  ['error while decoding MB 3 4', null],
  ['', null],
])('%j is %j', (words, meaning) => {
  expect(meaningOfLastWords(words)).toEqual(meaning);
});
