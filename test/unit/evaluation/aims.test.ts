import { expect, test } from '@jest/globals';
import type { Evaluation } from '../../../src/evaluation/evaluate.ts';
import { evaluationAims } from '../../../src/evaluation/aims.ts';

const good: Evaluation = {
  frames: 10,
  detection: { expected: 100, found: 98, missed: 2, spurious: 2, precision: 0.98, recall: 0.98, ap50: 0.98 },
  identity: { persons: 2, tracks: 3, switches: 1, switchesInView: 0 },
  age: { persons: 2, meanError: 1, maxError: 2 },
  gender: { persons: 2, accuracy: 1 },
  orientation: { observations: 98, meanError: 1, maxError: 10, within15: 1, within30: 1 },
  action: { observations: 98, accuracy: 0.95 },
  events: { expected: 1, found: 1, matched: 1, f1: 1 },
};

const missed = (evaluation: Evaluation): string[] =>
  evaluationAims(evaluation).flatMap(({ name, met }) => (met ? [] : [name]));

test('what lies exactly on the limits is good enough', () => {
  expect(missed(good)).toEqual([]);
});

test.each([
  [{ detection: { ...good.detection, recall: 0.9799 } }, 'recall of visible persons'],
  [{ detection: { ...good.detection, precision: 0.9799 } }, 'precision of persons'],
  [{ identity: { ...good.identity, switchesInView: 1 } }, 'identity switches in view'],
  [{ age: { ...good.age, maxError: 2.1 } }, 'largest age error, years'],
  [{ orientation: { ...good.orientation, maxError: 10.1 } }, 'largest orientation error, degrees'],
  [{ action: { ...good.action, accuracy: 0.9499 } }, 'action right, share of readings'],
])('%j misses one aim', (change, name) => {
  expect(missed({ ...good, ...change })).toEqual([name]);
});

test('what could not be compared misses its aim', () => {
  const nothing: Evaluation = {
    ...good,
    detection: { ...good.detection, recall: null, precision: null },
    identity: { persons: 2, tracks: 0, switches: 0, switchesInView: 0 },
    age: { persons: 0, meanError: null, maxError: null },
    orientation: { observations: 0, meanError: null, maxError: null, within15: null, within30: null },
    action: { observations: 0, accuracy: null },
  };
  expect(missed(nothing)).toHaveLength(6);
});
