import { describe, expect, test } from '@jest/globals';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../../src/analysis/settings.ts';
import { createTracker, type Assignment } from '../../../../src/analysis/tracking/tracker.ts';
import type { Candidate } from '../../../../src/analysis/tracking/matching.ts';

const PICTURE = { width: 1280, height: 720 };
const STEP = 2 / 3;

/** A standing person whose feet's middle is at (x, footY). */
function person(x: number, options: { footY?: number; height?: number; score?: number } = {}): Candidate {
  const { footY = 600, height = 330, score = 0.9 } = options;
  const half = height * 0.17;
  return { box: { x1: x - half, y1: footY - height, x2: x + half, y2: footY }, score };
}

/** Runs the tracker over one list of candidates per sample. */
function track(samples: readonly (readonly Candidate[])[], step = STEP): readonly (readonly Assignment[])[] {
  const tracker = createTracker(DEFAULT_ANALYSIS_SETTINGS.tracking, PICTURE);
  return samples.map((candidates, sample) => tracker.update(sample * step, candidates));
}

const ids = (assignments: readonly Assignment[]): (number | string)[] =>
  assignments.map((assignment) => (assignment.kind === 'person' ? assignment.track : assignment.kind));

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

test('a person who walks a body width per sample keeps the id', () => {
  const found = track(range(10).map((i) => [person(150 + i * 105)]));
  expect(found.map(ids)).toEqual(range(10).map(() => [1]));
});

test('two persons who pass each other in front of the camera keep their ids', () => {
  const found = track(range(11).map((i) => [person(150 + i * 90), person(1050 - i * 90, { footY: 640, height: 350 })]));
  expect(found.map(ids)).toEqual(range(11).map(() => [1, 2]));
});

test('a person hidden behind another one for three samples comes back with the same id', () => {
  const found = track(
    range(11).map((i) => {
      const front = person(640, { footY: 660, height: 370 });
      const hidden = i >= 4 && i <= 6;
      return hidden ? [front] : [front, person(240 + i * 80, { footY: 590 })];
    }),
  );
  expect(found.map((assignments) => ids(assignments)[0])).toEqual(range(11).map(() => 1));
  expect(found.flatMap((assignments) => ids(assignments).slice(1))).toEqual(range(8).map(() => 2));
});

test('a person who is missed for two samples keeps the id, after the longest gap gets a new one', () => {
  const seen = [person(400)];
  expect(track([seen, seen, [], [], seen]).map(ids)).toEqual([[1], [1], [], [], [1]]);
  const gap = range(6).map(() => []);
  expect(
    track([seen, seen, ...gap, seen])
      .at(-1)
      ?.map((a) => a.kind === 'person' && a.track),
  ).toEqual([2]);
});

test('whoever enters where another one has left is somebody else', () => {
  const leaving = range(4).map((i) => [person(1000 + i * 105)]);
  const entering = range(3).map((i) => [person(1240 - i * 105)]);
  const found = track([...leaving, [], ...entering]);
  expect(found.slice(0, 4).map(ids)).toEqual([[1], [1], [1], [1]]);
  expect(found.slice(5).map(ids)).toEqual([[2], [2], [2]]);
});

test('when one of three leaves, the others do not move up by one', () => {
  const row = [person(300), person(420, { footY: 605 }), person(540, { footY: 610 })];
  const found = track([row, row, row, row.slice(1), row.slice(1)]);
  expect(found.slice(3).map(ids)).toEqual([
    [2, 3],
    [2, 3],
  ]);
});

test('a fall between two samples changes the shape, not the person', () => {
  const lying: Candidate = { box: { x1: 500, y1: 490, x2: 830, y2: 600 }, score: 0.8 };
  const found = track([[person(640)], [person(640)], [lying], [lying], [person(640)]]);
  expect(found.map(ids)).toEqual([[1], [1], [1], [1], [1]]);
});

describe('several boxes on one person', () => {
  const main = person(640, { score: 0.91 });
  // Real pairs of a small detector: IoU 0.6 and 0.5, mostly inside the person's box.
  const second: Candidate = { box: { x1: 610, y1: 300, x2: 700, y2: 560 }, score: 0.75 };

  test('the surer one is the person in every frame, the other never becomes a track', () => {
    const found = track(range(6).map(() => [main, second]));
    expect(found.map(ids)).toEqual(range(6).map(() => [1, 'duplicate']));
    expect(found[0]?.[1]).toEqual({ kind: 'duplicate', track: 1 });
  });

  test('a hidden person does not return as the second box of the one in front', () => {
    const behind = person(655, { footY: 590 });
    const found = track([
      [main, person(760, { footY: 590 })],
      [main, person(700, { footY: 590 })],
      [main],
      [main, behind],
    ]);
    expect(found[3]?.[1]?.kind).toBe('duplicate');
  });

  test('two tracked persons who overlap stay two', () => {
    const found = track(range(7).map((i) => [person(500 + i * 30), person(680 - i * 30, { footY: 620, height: 350 })]));
    expect(found.map(ids)).toEqual(range(7).map(() => [1, 2]));
  });
});

describe('unsure boxes', () => {
  test('continue a person in view but start none', () => {
    const unsure = person(640, { score: 0.45 });
    expect(track([[unsure], [unsure]]).map(ids)).toEqual([['unassigned'], ['unassigned']]);
    expect(track([[person(640)], [unsure], [person(640)]]).map(ids)).toEqual([[1], [1], [1]]);
  });

  test('do not revive somebody who was not in view a moment ago', () => {
    const unsure = person(640, { score: 0.45 });
    expect(track([[person(640)], [person(640)], [], [unsure]]).map(ids)[3]).toEqual(['unassigned']);
  });
});

test('a person at three samples a second or one sample a second is still one person', () => {
  for (const step of [1 / 3, 1]) {
    const found = track(
      range(9).map((i) => [person(150 + i * 140 * step)]),
      step,
    );
    expect(found.map(ids)).toEqual(range(9).map(() => [1]));
  }
});
