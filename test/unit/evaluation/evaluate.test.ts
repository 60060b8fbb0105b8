import { describe, expect, test } from '@jest/globals';
import { evaluate } from '../../../src/evaluation/evaluate.ts';
import { averagePrecision } from '../../../src/evaluation/average-precision.ts';
import { parseTruth, type Truth } from '../../../src/evaluation/truth.ts';
import type { AnalysedFrame, BoxTuple, ObservedDetection } from '../../../src/analysis/video-analysis.ts';
import { sampleAnalysis, sampleDetection, sampleEvent } from '../../harness/analysis-sample.ts';

const left: BoxTuple = [100, 200, 220, 500];
const right: BoxTuple = [700, 200, 820, 500];
const noFace = { face: null, faceVisible: 0 };

/** Two persons, a on the left and b on the right, in four sampled frames; `hidden` frames show little of b. */
function truthOf(hidden: readonly number[] = []): Truth {
  const indices = [0, 7, 14, 20];
  return {
    format: 1,
    video: { width: 1280, height: 720 },
    persons: [
      { id: 'a', age: 30, gender: 'female' },
      { id: 'b', age: 60, gender: 'male' },
    ],
    events: [
      { person: 'a', action: 'grabbing', beginSeconds: 0, endSeconds: 2 },
      { person: 'b', action: 'none', beginSeconds: 0, endSeconds: 2 },
    ],
    frames: indices.map((index) => ({
      index,
      seconds: index / 10,
      persons: [
        { id: 'a', box: [...left], visible: 1, orientation: 90, action: 'grabbing', ...noFace },
        {
          id: 'b',
          box: [...right],
          visible: hidden.includes(index) ? 0.2 : 1,
          orientation: 350,
          action: 'none',
          ...noFace,
        },
      ],
    })),
  };
}

function framesOf(detectionsAt: (index: number) => readonly ObservedDetection[]): AnalysedFrame[] {
  return [0, 7, 14, 20].map((index) => ({ index, t: index / 10, detections: detectionsAt(index), overlaps: [] }));
}

const a = (changes: Partial<ObservedDetection> = {}): ObservedDetection =>
  sampleDetection({ track: 1, box: left, orientation: 100, action: 'grabbing', ...changes });
const b = (changes: Partial<ObservedDetection> = {}): ObservedDetection =>
  sampleDetection({ track: 2, box: right, orientation: 20, action: 'none', ...changes });

describe('detection', () => {
  test('missed, spurious and hidden persons count as what they are', () => {
    const frames = framesOf((index) => {
      if (index === 0) return [a(), b()];
      if (index === 7) return [a(), sampleDetection({ track: 3, box: [400, 0, 500, 200], score: 0.5 })];
      if (index === 14) return [a()];
      return [a(), b()];
    });
    const { detection } = evaluate(sampleAnalysis({ frames }), truthOf([14]));
    expect(detection).toMatchObject({
      expected: 7,
      found: 6,
      missed: 1,
      spurious: 1,
      recall: 0.8571,
      precision: 0.8571,
    });
    expect(detection.ap50).toBe(0.8571);
  });

  test('a box that fits by less than half is a miss', () => {
    const shifted: BoxTuple = [180, 200, 300, 500];
    const { detection } = evaluate(sampleAnalysis({ frames: framesOf(() => [a({ box: shifted }), b()]) }), truthOf());
    expect(detection).toMatchObject({ found: 4, missed: 4, spurious: 4 });
  });

  test('average precision falls with every wrong box that is surer than a right one', () => {
    const right = { score: 0.5, correct: true };
    expect(averagePrecision([right, { score: 0.4, correct: false }], 1)).toBe(1);
    expect(averagePrecision([{ score: 0.9, correct: false }, right], 1)).toBe(0.5);
    expect(averagePrecision([right], 2)).toBe(0.5);
    expect(averagePrecision([], 0)).toBeNull();
  });
});

test('a switch of ids counts, and is told apart from one behind somebody', () => {
  const frames = framesOf((index) => [a(), b({ track: index < 14 ? 2 : 5 })]);
  expect(evaluate(sampleAnalysis({ frames }), truthOf()).identity).toMatchObject({ switches: 1, switchesInView: 1 });
  expect(evaluate(sampleAnalysis({ frames }), truthOf([14])).identity).toMatchObject({
    switches: 1,
    switchesInView: 0,
  });
});

test('attributes are compared per person, directions around the circle, actions per observation', () => {
  const [track] = sampleAnalysis().tracks;
  const analysis = sampleAnalysis({
    frames: framesOf((index) => [a(), b({ action: index === 0 ? 'walking' : 'none' })]),
    tracks: [track!, { ...track!, id: 2, age: 57, gender: 'female' }],
  });
  const result = evaluate(analysis, truthOf());
  expect(result.age).toEqual({ persons: 2, meanError: 3.75, maxError: 4.5 });
  expect(result.gender).toEqual({ persons: 2, accuracy: 0.5 });
  expect(result.orientation).toEqual({
    observations: 8,
    meanError: 20,
    maxError: 30,
    within15: 0.5,
    within30: 1,
  });
  expect(result.action).toEqual({ observations: 8, accuracy: 0.875 });
});

test('an event counts for its person, action and time', () => {
  const events = (changes: Parameters<typeof sampleEvent>[0]): number | null =>
    evaluate(
      sampleAnalysis({
        frames: framesOf(() => [a(), b()]),
        events: [sampleEvent({ startSeconds: 0.7, durationSeconds: 1.3, ...changes })],
      }),
      truthOf(),
    ).events.f1;
  expect(events({})).toBe(1);
  expect(events({ type: 'falling' })).toBe(0);
  expect(events({ track: 2 })).toBe(0);
  expect(events({ startSeconds: 1.8, durationSeconds: 2 })).toBe(0);
});

test('a wrong truth file is refused with the field', () => {
  expect(() => parseTruth('{', 't.json')).toThrow('t.json is not JSON');
  expect(() =>
    parseTruth(JSON.stringify({ ...truthOf(), persons: [{ id: 'a', age: 'old', gender: 'male' }] }), 't.json'),
  ).toThrow('persons.0.age');
});

test('an age that nobody has is refused, and makes no mean that is no number', () => {
  const truth = { ...truthOf(), persons: [{ id: 'a', age: 1e308, gender: 'female' }] };
  expect(() => parseTruth(JSON.stringify(truth), 'truth.json')).toThrow(/truth\.json is not valid: persons\.0\.age: /);
});
