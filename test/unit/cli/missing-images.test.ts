import { expect, test } from '@jest/globals';
import { missingImages } from '../../../src/cli/make-highlights.ts';
import type { PicturedEvent } from '../../../src/persistence/missing-highlights.ts';

/** The keys that images get which are made later, of a video whose events are these in their order. */
function keysOf(events: readonly (readonly [type: string, highlightKey: string | null])[]): readonly string[] {
  const pictured = events.map(([type, highlightKey], index): PicturedEvent => ({
    eventId: BigInt(index),
    track: index,
    type,
    startSeconds: 1.4,
    frameIndex: 2,
    box: [0, 0, 1, 1],
    highlightKey,
  }));
  return missingImages({
    videoId: 'v',
    externalId: '7',
    object: { bucket: 'b', key: 'k', versionId: null, etag: 'e' },
    runId: 'r',
    framesPerSecond: 1,
    decode: 'exact',
    width: 1,
    height: 1,
    events: pictured,
  }).map(({ key }) => key);
}

test('an image that is made later has the key that the worker would have given it', () => {
  expect(keysOf([1, 2, 3].map(() => ['fall', null]))).toEqual([
    'highlights/7/1.4s_fall.jpg',
    'highlights/7/1.4s_fall_2.jpg',
    'highlights/7/1.4s_fall_3.jpg',
  ]);
  expect(
    keysOf([
      ['fall', 'highlights/7/1.4s_fall.jpg'],
      ['fall', null],
    ]),
  ).toEqual(['highlights/7/1.4s_fall_2.jpg']);
  expect(
    keysOf([
      ['fall', null],
      ['fall', 'highlights/7/1.4s_fall_2.jpg'],
    ]),
  ).toEqual(['highlights/7/1.4s_fall.jpg']);
});

test('no image that is made later is put in the place of one that there is', () => {
  // The action of the first event was not pictured when the video was analysed.
  expect(
    keysOf([
      ['fall_2', null],
      ['fall', 'highlights/7/1.4s_fall.jpg'],
      ['fall', 'highlights/7/1.4s_fall_2.jpg'],
    ]),
  ).toEqual(['highlights/7/1.4s_fall_2_2.jpg']);
});
