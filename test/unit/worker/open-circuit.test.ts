import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import { next, told } from '../../harness/worker-events.ts';
import { createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
const AWAY = new Failure('DATABASE_UNAVAILABLE', 'the server is gone', { stage: 'claim' });
const HOUR_MS = 3_600_000;
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig({ maxReceives: 5 });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test('one message at a time tries what is away, of those that wait and the new together', async () => {
  const opens = Promise.withResolvers<void>();
  let isOpen = false;
  let running = 0;
  let most = 0;
  let tries = 0;
  const { worker, events } = rig.worker(
    async () => {
      running += 1;
      if (isOpen) {
        tries += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => void rig.clock.after(1_000, resolve));
      } else await opens.promise;
      running -= 1;
      return { kind: 'retry', afterSeconds: 5, failure: AWAY };
    },
    { concurrency: 3 },
  );
  events.on('circuit:open', () => (isOpen = true));
  for (const key of ['a', 'b', 'c']) rig.send(key);
  const all = told(events, 'job:started', 3);
  worker.start();
  await rig.clock.until(all);
  opens.resolve();
  for (const key of ['d', 'e']) rig.send(key);
  await rig.clock.advance(HOUR_MS);
  expect(tries).toBeGreaterThan(10);
  expect(most).toBe(1);
});

test('a try that runs for long does not keep the others out: what has not failed for a while lets more of them try', async () => {
  const finish = Promise.withResolvers<void>();
  let isAway = true;
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      if (isAway) return { kind: 'retry', afterSeconds: 15, failure: AWAY };
      runs += 1;
      await finish.promise;
      return ACK;
    },
    { concurrency: 4 },
  );
  for (const key of ['a', 'b', 'c', 'd']) rig.send(key);
  worker.start();
  await rig.clock.until(next(events, 'circuit:open'));
  isAway = false;
  await rig.clock.advance(2 * HOUR_MS);
  expect(runs).toBe(4);
  finish.resolve();
});

test.each([
  ['a few may wait', { concurrency: 2, settings: { maxRetryDelaySeconds: 1_800, maxWaiting: 10 } }],
  ['the usual number may wait', { concurrency: 4, settings: { maxRetryDelaySeconds: 1_800, visibilitySeconds: 300 } }],
])('a dependency that is away for ten hours burns nothing and loses nothing where %s', async (_, options) => {
  let isAway = true;
  const { worker, events } = rig.worker(
    async () => (isAway ? { kind: 'retry', afterSeconds: 30, failure: AWAY } : ACK),
    options,
  );
  const statistics = new Statistics(events);
  for (let message = 0; message < 200; message += 1) rig.send(`k${message}`);
  worker.start();
  await rig.clock.advance(10 * HOUR_MS);
  // What there is no room for has stayed in the queue.
  expect(worker.waiting + worker.busy + rig.queue.visible.length).toBe(200);
  isAway = false;
  await rig.clock.until(told(events, 'message:deleted', 200));
  expect([rig.queue.mostReceives, statistics.summary().burntReceives]).toEqual([1, 0]);
  expect([rig.queue.moved, rig.queue.deadLetters]).toEqual([[], []]);
});
