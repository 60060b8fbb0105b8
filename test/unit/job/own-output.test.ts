import { expect, test } from '@jest/globals';
import { highlightFolder, highlightKeys } from '../../../src/analysis/highlight-keys.ts';
import { ownOutput } from '../../../src/job/own-output.ts';

const reasonFor = ownOutput('videos');

test.each(['highlights/2026/goal.mp4', 'highlights/goal.mp4', 'match/3.0s_falling.jpg'])(
  'what somebody uploads as %s is no image of the worker',
  (key) => {
    expect(reasonFor({ bucket: 'videos', key })).toBeNull();
  },
);

test('every key that the worker makes is its own, in the bucket of its images alone', () => {
  const begins = [
    { type: 'falling', startSeconds: 3 },
    { type: 'falling', startSeconds: 3 },
    { type: 'a/b', startSeconds: 12.34 },
  ];
  for (const key of highlightKeys(highlightFolder('store/17'), begins)) {
    expect(reasonFor({ bucket: 'videos', key })).not.toBeNull();
    expect(reasonFor({ bucket: 'uploads', key })).toBeNull();
  }
});
