import { expect, test } from '@jest/globals';
import type { ObservedDetection, VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { compareAnalyses } from '../../bench/gpu-kit/host/analysis-differences.ts';
import { sampleAnalysis, sampleDetection } from '../../harness/analysis-sample.ts';

const analysis = (...frames: readonly (readonly ObservedDetection[])[]): VideoAnalysis =>
  sampleAnalysis({ frames: frames.map((detections, index) => ({ index, t: index, detections, overlaps: [] })) });

const person = sampleDetection({ box: [100, 100, 200, 300] });

test('an analysis beside itself differs in nothing', () => {
  const same = analysis([person, sampleDetection({ box: [400, 100, 500, 300], action: 'grabbing' })], [person]);
  expect(compareAnalyses(same, same)).toMatchObject({
    boxes: 3,
    matched: 3,
    matchedShare: 1,
    extra: 0,
    samePixels: 3,
    actionBoth: 3,
    actionSame: 3,
    largestDifference: { score: 0, pixels: 0, age: 0, actionScore: 0 },
    differing: 0,
    differences: [],
  });
});

test('readings of a pair that differ are counted and named', () => {
  const other = sampleDetection({ ...person, box: [100, 100, 200.25, 300], score: 0.9, action: 'falling', age: 36 });
  expect(compareAnalyses(analysis([person]), analysis([other]))).toMatchObject({
    matched: 1,
    samePixels: 0,
    orientationSame: 1,
    actionBoth: 1,
    actionSame: 0,
    largestDifference: { score: 0.01, pixels: 0.25, age: 1.5 },
    differences: [{ frame: 0, action: ['walking', 'falling'], orientation: [90, 90], boxes: [person.box, other.box] }],
  });
});

test('a box without a partner is named on either side, also in a frame that only one has', () => {
  const elsewhere = sampleDetection({ ...person, box: [700, 100, 800, 300] });
  const face = sampleDetection({ ...person, class: 'face' });
  const found = compareAnalyses(analysis([person], [person]), analysis([elsewhere], [face], [person]));
  expect(found).toMatchObject({ boxes: 2, matched: 0, matchedShare: 0, extra: 3 });
  expect(found.differences.map(({ frame, boxes }) => [frame, boxes.map((box) => box !== null)])).toEqual([
    [0, [true, false]],
    [0, [false, true]],
    [1, [true, false]],
    [1, [false, true]],
    [2, [false, true]],
  ]);
});

test('a partner is taken once, by the box that shares most with it first in order', () => {
  const found = compareAnalyses(analysis([person, person]), analysis([person]));
  expect(found).toMatchObject({ boxes: 2, matched: 1, matchedShare: 0.5, differing: 1 });
});
