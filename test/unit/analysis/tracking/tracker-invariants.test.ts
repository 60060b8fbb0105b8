import { expect, test } from '@jest/globals';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../../src/analysis/settings.ts';
import type { Candidate } from '../../../../src/analysis/tracking/matching.ts';
import { createTracker } from '../../../../src/analysis/tracking/tracker.ts';

/** Numbers 0..1 that are the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function randomBox(next: () => number): Candidate {
  const x1 = next() * 1280;
  const y1 = next() * 720;
  // Also boxes without area and at the picture's edge.
  const box = { x1, y1, x2: Math.min(1280, x1 + next() * 300), y2: Math.min(720, y1 + next() * 400) };
  return { box, score: 0.4 + next() * 0.6 };
}

test.each([1, 2, 3, 4, 5])(
  'whatever the boxes (seed %i), every one gets one answer and no id is given twice',
  (seed) => {
    const next = numbers(seed);
    const tracker = createTracker(DEFAULT_ANALYSIS_SETTINGS.tracking, { width: 1280, height: 720 });
    const known = new Set<number>();
    for (let sample = 0; sample < 200; sample++) {
      const candidates = Array.from({ length: Math.floor(next() * 12) }, () => randomBox(next));
      const assignments = tracker.update(sample / 1.5, candidates);
      expect(assignments).toHaveLength(candidates.length);
      const persons = assignments.flatMap((assignment) => (assignment.kind === 'person' ? [assignment.track] : []));
      expect(new Set(persons).size).toBe(persons.length);
      assignments.forEach((assignment, index) => {
        if (assignment.kind === 'duplicate') expect(persons).toContain(assignment.track);
        if (assignment.kind !== 'person' || known.has(assignment.track)) return;
        expect(candidates[index]?.score).toBeGreaterThanOrEqual(DEFAULT_ANALYSIS_SETTINGS.tracking.newTrackScore);
        expect(assignment.track).toBe(known.size + 1);
        known.add(assignment.track);
      });
    }
    expect(known.size).toBeGreaterThan(10);
  },
);

test('a crowd that stands still keeps its ids for the whole video', () => {
  const tracker = createTracker(DEFAULT_ANALYSIS_SETTINGS.tracking, { width: 1280, height: 720 });
  const next = numbers(9);
  const places = Array.from({ length: 10 }, (_, i) => 60 + i * 120);
  for (let sample = 0; sample < 300; sample++) {
    const jitter = (): number => (next() - 0.5) * 8;
    const candidates = places.map((x) => ({
      box: { x1: x - 45 + jitter(), y1: 200 + jitter(), x2: x + 45 + jitter(), y2: 500 + jitter() },
      score: 0.6 + 0.4 * next(),
    }));
    const ids = tracker.update(sample / 1.5, candidates).map((a) => (a.kind === 'person' ? a.track : null));
    expect(ids).toEqual(places.map((_, i) => i + 1));
  }
});
