import { expect, test } from '@jest/globals';
import { CircuitBreaker } from '../../../src/worker/circuit-breaker.ts';
import { QueuePicker } from '../../../src/worker/queue-picker.ts';

test('pitfall 21: a dependency that is away stops the polling, then one job tries', () => {
  const breaker = new CircuitBreaker({ threshold: 2, firstPauseMs: 100, maxPauseMs: 150 });
  expect(breaker.failed('DATABASE_UNAVAILABLE', 0)).toBeNull();
  expect(breaker.failed('DATABASE_UNAVAILABLE', 0)).toEqual({ dependency: 'database', forMs: 100 });
  expect([breaker.slots(50, 4), breaker.slots(100, 4)]).toEqual([0, 1]);
  expect(breaker.failed('DATABASE_UNAVAILABLE', 100)?.forMs).toBe(150);
  expect(breaker.succeeded()).toBe(true);
  expect(breaker.slots(100, 4)).toBe(4);
});

test('a failure of one job alone opens nothing', () => {
  const breaker = new CircuitBreaker({ threshold: 1, firstPauseMs: 100, maxPauseMs: 100 });
  expect(breaker.failed('UNKNOWN', 0)).toBeNull();
  expect(breaker.slots(0, 4)).toBe(4);
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
