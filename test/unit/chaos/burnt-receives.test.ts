import { describe, expect, test } from '@jest/globals';
import { burntText, explainReceives, type ReceiveEvidence } from '../../chaos/burnt-receives.ts';
import type { Absence } from '../../chaos/fleet.ts';
import type { LinkTrouble } from '../../chaos/faults.ts';
import type { Sighting } from '../../chaos/witness.ts';

const BEGUN: Sighting = { messageId: 'm1', workerId: 'w1', at: 10_100, text: 'a job begins', receive: 1 };
/** Received at second 10 by w1 and at second 40 by w2, who finished it. */
const TWICE: ReceiveEvidence = {
  messageId: 'm1',
  seen: [
    { receive: 1, from: 9_900, at: 10_000 },
    { receive: 2, from: 39_900, at: 40_000 },
  ],
  sightings: [BEGUN, { ...BEGUN, workerId: 'w2', at: 40_100, receive: 2 }],
};
const FOREVER = Number.POSITIVE_INFINITY;

function says(text: string): ReceiveEvidence {
  return { ...TWICE, sightings: [...TWICE.sightings, { ...BEGUN, at: 20_000, text, receive: null }] };
}

function explain(message: ReceiveEvidence, absences: readonly Absence[] = [], troubles: readonly LinkTrouble[] = []) {
  return explainReceives([message], absences, troubles);
}

test('a message that was received once burnt nothing', () => {
  expect(explain({ ...TWICE, seen: TWICE.seen.slice(0, 1), sightings: [BEGUN] })).toEqual({
    most: 1,
    again: {},
    burnt: [],
  });
});

test('a receive that nothing explains is burnt, with who had the message and for how long', () => {
  const { most, burnt } = explain(TWICE);
  expect(most).toBe(2);
  expect(burnt).toEqual([{ messageId: 'm1', receive: 1, holders: ['w1'], seconds: 30 }]);
  expect(burnt.map(burntText)).toEqual(['message m1 came again 30 s after receive 1 without a reason; w1 had it']);
});

test('a wait under the lease that ends in a give-back explains nothing', () => {
  expect(explain(says('a message waits under its lease')).burnt).toHaveLength(1);
});

describe('a receive is explained by', () => {
  test.each([
    ['the lease is lost, its job is aborted', 'its lease was lost'],
    ['job failed', 'its job failed'],
    ['the work is done but the message could not be deleted; a redelivery will be', 'a call of the queue failed'],
  ])('the line "%s" of its holder', (text, why) => {
    expect(explain(says(text))).toEqual({ most: 2, again: { [why]: 1 }, burnt: [] });
  });

  test.each(['killed', 'drained', 'halted', 'frozen past its lease'] as const)('a holder that was %s', (why) => {
    const absence = { workerId: 'w1', why, from: 15_000, to: why === 'frozen past its lease' ? 28_000 : FOREVER };
    expect(explain(TWICE, [absence])).toEqual({ most: 2, again: { [`its worker was ${why}`]: 1 }, burnt: [] });
  });

  test('an answer that was lost on the way, where no worker says a word', () => {
    const unseen = { ...TWICE, sightings: TWICE.sightings.slice(1) };
    const lost = { link: 'sqs', from: 9_000, to: 11_000 } as const;
    expect(explain(unseen, [], [lost]).again).toEqual({ 'its answer was lost on the way': 1 });
    expect(explain(unseen, [], [{ ...lost, link: 's3' }]).burnt).toHaveLength(1);
    expect(explain(unseen, [], [{ ...lost, from: 20_000, to: 30_000 }]).burnt).toHaveLength(1);
  });
});

test('what happened to another worker, or before and after, explains nothing', () => {
  expect(explain(TWICE, [{ workerId: 'w3', why: 'killed', from: 15_000, to: FOREVER }]).burnt).toHaveLength(1);
  expect(explain(TWICE, [{ workerId: 'w1', why: 'killed', from: 50_000, to: FOREVER }]).burnt).toHaveLength(1);
  const frozen = { workerId: 'w1', why: 'frozen past its lease', from: 1_000, to: 9_000 } as const;
  expect(explain(TWICE, [frozen]).burnt).toHaveLength(1);
});

test('a receive that no look at the queue saw is known from the log', () => {
  const { most, burnt } = explain({ ...TWICE, seen: [] });
  expect(most).toBe(2);
  expect(burnt).toHaveLength(1);
});
