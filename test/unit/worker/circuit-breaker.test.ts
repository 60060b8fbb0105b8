import { expect, test } from '@jest/globals';
import type { FailureCode } from '../../../src/failure/codes.ts';
import { Failure } from '../../../src/failure/failure.ts';
import type { JobStage } from '../../../src/failure/stage.ts';
import { CircuitBreaker } from '../../../src/worker/circuit-breaker.ts';
import { QueuePicker } from '../../../src/worker/queue-picker.ts';

const failure = (code: FailureCode, stage: JobStage | null = null): Failure => new Failure(code, 'x', { stage });
const DATABASE = failure('DATABASE_UNAVAILABLE');

test('pitfall 21: a dependency that is away stops the polling, then one job tries', () => {
  const breaker = new CircuitBreaker({ threshold: 2, firstPauseMs: 100, maxPauseMs: 150 });
  expect(breaker.failed(DATABASE, 0, 'a')).toBeNull();
  expect(breaker.failed(DATABASE, 0, 'a')).toMatchObject({ dependency: 'database', forMs: 100 });
  expect([breaker.slots(50, 4), breaker.slots(100, 4)]).toEqual([0, 1]);
  expect(breaker.failed(DATABASE, 100, 'a')?.forMs).toBe(150);
  expect(breaker.open).toEqual(['database']);
  expect(breaker.succeeded(['database', 'storage'])).toEqual(['database']);
  expect(breaker.slots(100, 4)).toBe(4);
});

test('a job from before the pause does not take the place of the one that tries, and no slot is there twice', () => {
  const breaker = new CircuitBreaker({ threshold: 1, firstPauseMs: 100, maxPauseMs: 100 });
  breaker.failed(DATABASE, 0, 'a');
  expect([breaker.slots(100, 4, 2), breaker.slots(100, 2, 2), breaker.slots(99, 4, 2)]).toEqual([3, 2, 0]);
});

test('while nothing has failed after the pause one more job may try with each longest pause, up to all', () => {
  const breaker = new CircuitBreaker({ threshold: 1, firstPauseMs: 100, maxPauseMs: 200 });
  breaker.failed(DATABASE, 0, 'a');
  const times = [99, 100, 299, 300, 500, 700, 9_000];
  expect(times.map((now) => breaker.slots(now, 4))).toEqual([0, 1, 1, 2, 3, 4, 4]);
  // The job from before the pause has a place of its own.
  expect(times.map((now) => breaker.slots(now, 4, 1))).toEqual([0, 2, 2, 3, 4, 4, 4]);
  breaker.failed(DATABASE, 700, 'b');
  expect([breaker.slots(899, 4), breaker.slots(900, 4), breaker.slots(1_100, 4)]).toEqual([0, 1, 2]);
});

test('how long until more jobs may try is told, through the pause and after it', () => {
  const breaker = new CircuitBreaker({ threshold: 1, firstPauseMs: 100, maxPauseMs: 200 });
  expect(breaker.waitMs(0)).toBe(0);
  breaker.failed(DATABASE, 0, 'a');
  expect([0, 60, 100, 250, 299, 300].map((now) => breaker.waitMs(now))).toEqual([100, 40, 200, 50, 1, 200]);
  // The one that is away for longest decides.
  breaker.failed(failure('NETWORK', 'head'), 90, 'a');
  expect([breaker.waitMs(100), breaker.slots(189, 4)]).toEqual([90, 0]);
  breaker.succeeded(['storage', 'database']);
  expect(breaker.waitMs(300)).toBe(0);
});

test('a failure of one job alone opens nothing', () => {
  const breaker = new CircuitBreaker({ threshold: 1, firstPauseMs: 100, maxPauseMs: 100 });
  expect(breaker.failed(failure('SCENE_FAILED', 'head'), 0, 'a')).toBeNull();
  expect(breaker.failed(failure('DATABASE_CONFLICT', 'store'), 0, 'a')).toBeNull();
  expect(breaker.slots(0, 4)).toBe(4);
});

test('failures of two dependencies do not add up, and the answer of one does not excuse the other', () => {
  const breaker = new CircuitBreaker({ threshold: 2, firstPauseMs: 100, maxPauseMs: 100 });
  expect(breaker.failed(failure('NETWORK', 'head'), 0, 'a')).toBeNull();
  expect(breaker.failed(failure('NETWORK', 'claim'), 0, 'a')).toBeNull();
  expect(breaker.failed(failure('NETWORK', 'head'), 0, 'a')?.dependency).toBe('storage');
  expect(breaker.succeeded(['database'])).toEqual([]);
  expect(breaker.open).toEqual(['storage']);
  // The database's one failure is forgotten: it answered.
  expect(breaker.failed(failure('NETWORK', 'claim'), 0, 'a')).toBeNull();
});

test('errors that no rule knows cast doubt on this host only where they come from different objects', () => {
  const breaker = new CircuitBreaker({ threshold: 2, firstPauseMs: 100, maxPauseMs: 100 });
  for (let receive = 0; receive < 5; receive += 1) expect(breaker.failed(failure('UNKNOWN'), 0, 'a')).toBeNull();
  expect(breaker.failed(failure('UNKNOWN'), 0, 'b')).toEqual({ dependency: 'host', forMs: 100, isHopeless: false });
});

test('a host whose every try after a pause fails is given up; a service is not', () => {
  const settings = { threshold: 1, firstPauseMs: 100, maxPauseMs: 100 };
  for (const code of ['UNKNOWN', 'DATABASE_UNAVAILABLE'] as const) {
    const breaker = new CircuitBreaker(settings);
    const ends = [0, 100, 200, 300].map((now) => breaker.failed(failure(code), now, String(now))?.isHopeless);
    expect(ends).toEqual([false, false, false, code === 'UNKNOWN']);
  }
});

test('queues get turns by weight, and none that may not be asked', () => {
  const queues = [
    { url: 'h', name: 'h', weight: 3 },
    { url: 'l', name: 'l', weight: 1 },
  ];
  const picker = new QueuePicker(queues);
  const turns = Array.from({ length: 8 }, () => picker.next(() => true)?.name);
  expect(turns.filter((name) => name === 'h')).toHaveLength(6);
  expect(picker.next((queue) => queue.name === 'l')?.name).toBe('l');
  expect(picker.next(() => false)).toBeNull();
});
