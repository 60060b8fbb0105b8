import { expect, test } from '@jest/globals';
import { analysisRows, countRows, storableText } from '../../../src/persistence/rows.ts';
import { sampleAnalysis, sampleDetection, sampleEvent } from '../../harness/analysis-sample.ts';

function listed(...args: Parameters<typeof analysisRows>) {
  const { tracks, observations, overlaps, events, scenes } = analysisRows(...args);
  return {
    tracks: [...tracks],
    observations: [...observations],
    overlaps: [...overlaps],
    events: [...events],
    scenes: [...scenes],
  };
}

const frame = (detections: ReturnType<typeof sampleDetection>[]) => [{ index: 40, t: 1.333, overlaps: [], detections }];

test('boxes become columns, and a person without a face has none', () => {
  const detections = [sampleDetection({ box: [1, 2, 3, 4], face: [5, 6, 7, 8] }), sampleDetection({ face: null })];
  const { observations } = listed(sampleAnalysis({ frames: frame(detections) }), null);
  expect(observations[0]).toMatchObject({ x1: 1, y1: 2, x2: 3, y2: 4, faceX1: 5, faceY1: 6, faceX2: 7, faceY2: 8 });
  expect(observations[0]).toMatchObject({ frameIndex: 40, seconds: 1.333, track: 1, class: 'person' });
  expect(observations[1]).toMatchObject({ faceX1: null, faceY1: null, faceX2: null, faceY2: null });
});

test('frames and detections keep their order', () => {
  const frames = [7, 3].map((index) => ({
    index,
    t: index / 10,
    overlaps: [{ a: 1, b: 2, iou: 0.25 }],
    detections: [sampleDetection({ score: 0.9 }), sampleDetection({ score: 0.4 })],
  }));
  const rows = listed(sampleAnalysis({ frames }), null);
  expect(rows.observations.map((row) => [row.frameIndex, row.score])).toEqual([
    [7, 0.9],
    [7, 0.4],
    [3, 0.9],
    [3, 0.4],
  ]);
  expect(rows.overlaps).toEqual([
    { frameIndex: 7, seconds: 0.7, trackA: 1, trackB: 2, iou: 0.25 },
    { frameIndex: 3, seconds: 0.3, trackA: 1, trackB: 2, iou: 0.25 },
  ]);
});

test('a box of a person without a summary keeps its row and loses the reference', () => {
  const frames = frame([sampleDetection({ track: 99 }), sampleDetection({ track: null })]);
  const { observations } = listed(sampleAnalysis({ frames }), null);
  expect(observations.map((row) => row.track)).toEqual([null, null]);
});

test('an event about nobody is refused', () => {
  const analysis = sampleAnalysis({ events: [sampleEvent({ track: 99 })] });
  expect(() => listed(analysis, null)).toThrow(/track 99/);
});

test('a highlight has bucket and key, or neither', () => {
  const analysis = sampleAnalysis({ events: [sampleEvent(), sampleEvent({ highlight: null })] });
  const pairs = (bucket: string | null) =>
    listed(analysis, bucket).events.map((row) => [row.highlightBucket, row.highlightKey]);
  expect(pairs('highlights')).toEqual([
    ['highlights', 'highlights/7/1.4s_grabbing.jpg'],
    [null, null],
  ]);
  expect(pairs(null)).toEqual([
    [null, null],
    [null, null],
  ]);
});

test('a video without people has no rows below it', () => {
  const analysis = sampleAnalysis({ frames: frame([]), tracks: [], events: [], scenes: [] });
  expect(listed(analysis, 'highlights')).toEqual({
    tracks: [],
    observations: [],
    overlaps: [],
    events: [],
    scenes: [],
  });
});

test('rows are counted without being made, and may be read more than once', () => {
  const frames = [7, 3].map((index) => ({
    index,
    t: index / 10,
    overlaps: [{ a: 1, b: 2, iou: 0.25 }],
    detections: [sampleDetection(), sampleDetection()],
  }));
  const analysis = sampleAnalysis({ frames });
  const { tracks, observations, overlaps, events, scenes } = analysisRows(analysis, null);
  const count = () => [...tracks, ...observations, ...overlaps, ...events, ...scenes].length;
  expect(count()).toBe(countRows(analysis));
  expect(count()).toBe(countRows(analysis));
});

test('text loses what PostgreSQL cannot store', () => {
  expect(storableText('a\0b\ud800c 🙂')).toBe('ab\ufffdc 🙂');
});
