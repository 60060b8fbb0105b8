import { expect, test } from '@jest/globals';
import { Failure, type FailureCode } from '../../../src/failure/failure.ts';
import { answeredIn, CircuitBreaker, dependencyOf } from '../../../src/worker/circuit-breaker.ts';
import { QueuePicker } from '../../../src/worker/queue-picker.ts';

const failure = (code: FailureCode, stage?: string): Failure =>
  new Failure(code, 'x', { details: stage === undefined ? {} : { stage } });
const DATABASE = failure('DATABASE_UNAVAILABLE');

test('pitfall 21: a dependency that is away stops the polling, then one job tries', () => {
  const breaker = new CircuitBreaker({ threshold: 2, firstPauseMs: 100, maxPauseMs: 150 });
  expect(breaker.failed(DATABASE, 0)).toBeNull();
  expect(breaker.failed(DATABASE, 0)).toEqual({ dependency: 'database', forMs: 100 });
  expect([breaker.slots(50, 4), breaker.slots(100, 4)]).toEqual([0, 1]);
  expect(breaker.failed(DATABASE, 100)?.forMs).toBe(150);
  expect(breaker.open).toEqual(['database']);
  expect(breaker.succeeded(['database', 'storage'])).toEqual(['database']);
  expect(breaker.slots(100, 4)).toBe(4);
});

test('a job from before the pause does not take the place of the one that tries, and no slot is there twice', () => {
  const breaker = new CircuitBreaker({ threshold: 1, firstPauseMs: 100, maxPauseMs: 100 });
  breaker.failed(DATABASE, 0);
  expect([breaker.slots(100, 4, 2), breaker.slots(100, 2, 2), breaker.slots(99, 4, 2)]).toEqual([3, 2, 0]);
});

test('a failure of one job alone opens nothing', () => {
  const breaker = new CircuitBreaker({ threshold: 1, firstPauseMs: 100, maxPauseMs: 100 });
  expect(breaker.failed(failure('UNKNOWN', 'head'), 0)).toBeNull();
  expect(breaker.failed(failure('DATABASE_CONFLICT', 'store'), 0)).toBeNull();
  expect(breaker.slots(0, 4)).toBe(4);
});

test.each([
  ['NETWORK', 'head', 'storage'],
  ['TIMEOUT', 'download', 'storage'],
  ['THROTTLED', 'highlights', 'storage'],
  ['NETWORK', 'claim', 'database'],
  ['TIMEOUT', 'store', 'database'],
  ['DATABASE_UNAVAILABLE', 'download', 'database'],
  ['THROTTLED', 'scene', 'bedrock'],
  ['SERVICE_UNAVAILABLE', 'scene', 'bedrock'],
  ['NETWORK', undefined, 'service'],
  ['NETWORK', 'constructor', 'service'],
  ['CUDA_ERROR', 'scene', null],
] as const)('%s at %s is a failure of %s', (code, stage, dependency) => {
  expect(dependencyOf(failure(code, stage))).toBe(dependency);
});

test('failures of two dependencies do not add up, and the answer of one does not excuse the other', () => {
  const breaker = new CircuitBreaker({ threshold: 2, firstPauseMs: 100, maxPauseMs: 100 });
  expect(breaker.failed(failure('NETWORK', 'head'), 0)).toBeNull();
  expect(breaker.failed(failure('NETWORK', 'claim'), 0)).toBeNull();
  expect(breaker.failed(failure('NETWORK', 'head'), 0)?.dependency).toBe('storage');
  expect(breaker.succeeded(['database'])).toEqual([]);
  expect(breaker.open).toEqual(['storage']);
  // The database's one failure is forgotten: it answered.
  expect(breaker.failed(failure('NETWORK', 'claim'), 0)).toBeNull();
});

test('who answered follows from how far a job came', () => {
  expect(answeredIn({ kind: 'ack', outcome: 'completed' })).toContain('bedrock');
  expect(answeredIn({ kind: 'ack', outcome: 'duplicate' })).toEqual(['storage', 'database', 'service']);
  expect(answeredIn({ kind: 'reject', failure: failure('OBJECT_NOT_FOUND', 'head') })).toEqual(['storage', 'service']);
  expect(answeredIn({ kind: 'reject', failure: failure('NOT_A_VIDEO', 'probe') })).toContain('database');
  expect(answeredIn({ kind: 'retry', afterSeconds: 1, failure: DATABASE })).toEqual([]);
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
