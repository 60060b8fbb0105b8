import { expect, test } from '@jest/globals';
import { createActionSpans, type ActionSpan } from '../../../src/analysis/action-spans.ts';

/** Spans of a row of labels, one per second; a dot is a sample without the person. */
function spansOf(labels: string, settings = { minReadings: 2, maxGapSeconds: 3 }): string[] {
  const spans = createActionSpans<null>(settings);
  const ended: ActionSpan<null>[] = [];
  labels.split('').forEach((label, t) => {
    if (label === '.') return;
    const step = spans.push({ label, score: 0.5, t, mark: null });
    if (step.ended !== null) ended.push(step.ended);
  });
  const last = spans.finish();
  return [...ended, ...(last === null ? [] : [last])].map(
    ({ label, begin, lastSeconds, readings }) => `${label}${begin.t}-${lastSeconds}/${readings}`,
  );
}

test('an action counts from the second reading in a row on, and from its first one', () => {
  expect(spansOf('aabb')).toEqual(['a0-1/2', 'b2-3/2']);
  expect(spansOf('a')).toEqual([]);
});

test('a flicker neither makes a span nor splits one', () => {
  expect(spansOf('aabaa')).toEqual(['a0-4/4']);
  expect(spansOf('aabcaa')).toEqual(['a0-5/4']);
});

test('two readings of something else end a span at its last own reading', () => {
  expect(spansOf('aaabba')).toEqual(['a0-2/3', 'b3-4/2']);
});

test('alternating labels are no event of the challenger', () => {
  expect(spansOf('aababa')).toEqual(['a0-5/4']);
});

test('a long absence makes two spans of one action', () => {
  expect(spansOf('aa..aa')).toEqual(['a0-5/4']);
  expect(spansOf('aa....aa')).toEqual(['a0-1/2', 'a6-7/2']);
});

test('the begin is offered once, before it is sure', () => {
  const spans = createActionSpans<null>({ minReadings: 3, maxGapSeconds: 3 });
  const steps = [0, 1, 2].map((t) => spans.push({ label: 'a', score: 0.5, t, mark: null }));
  expect(steps.map(({ candidate }) => candidate?.t ?? null)).toEqual([0, null, null]);
  expect(steps.map(({ confirmed }) => confirmed?.begin.t ?? null)).toEqual([null, null, 0]);
});

test('with one reading enough, every change is a span', () => {
  expect(spansOf('ab', { minReadings: 1, maxGapSeconds: 3 })).toEqual(['a0-0/1', 'b1-1/1']);
});

test('what was read last holds where the person was seen and not read, and the gap begins after that', () => {
  const spans = createActionSpans<null>({ minReadings: 2, maxGapSeconds: 3 });
  const read = (label: string, t: number) => spans.push({ label, score: 0.5, t, mark: null });
  read('a', 0);
  read('a', 1);
  for (const t of [2, 3, 4]) spans.hold(t);
  expect(read('a', 7).ended).toBeNull();
  spans.hold(8);
  read('b', 9);
  expect(read('b', 10).ended).toMatchObject({ label: 'a', lastSeconds: 7, heldSeconds: 8, readings: 3 });
});

test('nothing holds through a long absence', () => {
  const spans = createActionSpans<null>({ minReadings: 1, maxGapSeconds: 3 });
  spans.push({ label: 'a', score: 0.5, t: 0, mark: null });
  spans.hold(1);
  spans.hold(5);
  expect(spans.finish()).toMatchObject({ heldSeconds: 1 });
});

test('a reading that says something new is unsure until the next one', () => {
  const spans = createActionSpans<null>({ minReadings: 2, maxGapSeconds: 3 });
  const unsure = 'aabaabb'.split('').map((label, t) => {
    spans.push({ label, score: 0.5, t, mark: null });
    return spans.isUnsure();
  });
  expect(unsure).toEqual([true, false, true, false, false, true, false]);
});
