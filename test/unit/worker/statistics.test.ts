import { expect, test } from '@jest/globals';
import pino from 'pino';
import type { FailureCode } from '../../../src/failure/codes.ts';
import { Failure } from '../../../src/failure/failure.ts';
import type { JobStage } from '../../../src/failure/stage.ts';
import type { Settled } from '../../../src/failure/disposition.ts';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { WorkerEventBus } from '../../../src/worker/events.ts';
import { Statistics } from '../../../src/worker/statistics.ts';

function counting(): { readonly events: WorkerEventBus; readonly statistics: Statistics; now: Date } {
  const events = new WorkerEventBus(pino({ level: 'silent' }));
  const kept = { events, now: new Date('2026-03-01T10:59:59Z') };
  return Object.assign(kept, { statistics: new Statistics(events, () => kept.now) });
}

const settle = (events: WorkerEventBus, disposition: Disposition, settled: Settled, messageId = 'm'): void =>
  events.emit('job:settled', { messageId, key: 'k', disposition, seconds: 1, settled });
const failed = (code: FailureCode, stage: JobStage | null = null): Disposition => ({
  kind: 'retry',
  afterSeconds: 1,
  failure: new Failure(code, `${code} happened`, { stage }),
});

test('a job counts as completed only under a live lease; a duplicate and a lost lease are told apart', () => {
  const { events, statistics } = counting();
  settle(events, { kind: 'ack', outcome: 'completed' }, 'deleted');
  settle(events, { kind: 'ack', outcome: 'completed' }, 'remembered');
  settle(events, { kind: 'ack', outcome: 'completed' }, 'lost');
  settle(events, { kind: 'ack', outcome: 'duplicate' }, 'deleted');
  events.emit('message:done-before', { messageId: 'm' });
  settle(events, { kind: 'wait', why: 'object', afterSeconds: 1, detail: 'x', otherwise: null }, 'kept');
  events.emit('message:waiting', { messageId: 'm', why: 'object', seconds: 5 });
  events.emit('receive:burnt', { count: 3, by: 'drain' });
  settle(events, { kind: 'abandon', why: 'shutdown' }, 'given-back');
  events.emit('message:ignored', { messageId: 'm', reason: 'a test event' });
  expect(statistics.summary()).toMatchObject({
    completed: 2,
    lostAfterDone: 1,
    duplicates: 2,
    waited: 1,
    burntReceives: 3,
    interrupted: 1,
    ignored: 1,
    failed: 0,
    successRate: 1,
  });
});

test('failures count by class, code, stage and hour, those of messages that never became a job too', () => {
  const kept = counting();
  const { events, statistics } = kept;
  settle(events, failed('NETWORK', 'download'), 'given-back');
  kept.now = new Date('2026-03-01T11:00:00Z');
  settle(events, failed('NETWORK', 'claim'), 'lost');
  settle(events, failed('UNKNOWN'), 'left');
  events.emit('message:rejected', { messageId: 'bad', failure: new Failure('MESSAGE_NOT_JSON', 'no') });
  settle(events, { kind: 'ack', outcome: 'completed' }, 'deleted');
  const summary = statistics.summary();
  expect(summary).toMatchObject({ failed: 4, completed: 1, successRate: 0.2 });
  expect(summary.byClass).toEqual({ temporary: 3, permanent: 1 });
  expect(summary.byCode).toEqual({ NETWORK: 2, UNKNOWN: 1, MESSAGE_NOT_JSON: 1 });
  expect(summary.byStage).toEqual({ download: 1, claim: 1, unknown: 1, message: 1 });
  expect(summary.byHour).toEqual({ '2026-03-01T10:00Z': 1, '2026-03-01T11:00Z': 3 });
  expect(summary.lastFailures.at(-1)).toEqual({
    at: '2026-03-01T11:00:00.000Z',
    messageId: 'bad',
    class: 'permanent',
    code: 'MESSAGE_NOT_JSON',
    stage: 'message',
    reason: 'no',
  });
});

test('what is kept is bounded: the last hundred failures, the last 48 hours, a part of a long reason', () => {
  const kept = counting();
  for (let hour = 0; hour < 120; hour += 1) {
    kept.now = new Date(Date.UTC(2026, 0, 1, hour));
    const failure = new Failure('NETWORK', 'x'.repeat(1_000));
    settle(kept.events, { kind: 'retry', afterSeconds: 1, failure }, 'given-back', String(hour));
  }
  const { lastFailures, byHour, failed: all } = kept.statistics.summary();
  expect(all).toBe(120);
  expect(lastFailures.map(({ messageId }) => messageId)).toEqual(Array.from({ length: 100 }, (_, i) => String(i + 20)));
  expect(lastFailures[0]?.reason).toMatch(/^x{300}\.\.\. \(\d+ characters\)$/);
  expect(Object.keys(byHour)).toHaveLength(48);
  expect(Object.keys(byHour).at(-1)).toBe('2026-01-05T23:00Z');
});
