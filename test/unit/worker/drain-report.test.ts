import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { aborted, next, told } from '../../harness/worker-events.ts';
import { anotherRunHasIt, createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const AWAY = new Failure('DATABASE_UNAVAILABLE', 'the server is gone', { stage: 'claim' });
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test.each<[string, Disposition]>([
  ['says so itself', { kind: 'reject', failure: new Failure('INTERRUPTED', 'the worker stops') }],
  ['could not write its end down', { kind: 'retry', afterSeconds: 30, failure: AWAY }],
])('a job that was cut short at its last receive counts as that, also where it %s', async (_, disposition) => {
  rig = createWorkerRig({ maxReceives: 1 });
  const { worker, events } = rig.worker(async (_delivery, signal) => {
    await aborted(signal);
    return disposition;
  });
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  const report = await rig.clock.until(worker.drain('SIGTERM', 1_000));
  expect(report).toMatchObject({ finished: 0, givenBack: 0, aborted: 1, stuck: 0 });
  expect(rig.queue.deadLetters).toHaveLength(1);
});

test('a job that fails by itself meanwhile was not cut short: its message went back', async () => {
  const finish = Promise.withResolvers<void>();
  const { worker, events } = rig.worker(async () => {
    await finish.promise;
    return { kind: 'retry', afterSeconds: 15, failure: new Failure('DATABASE_CONFLICT', 'x') };
  });
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  const drained = worker.drain('SIGTERM', 60_000);
  finish.resolve();
  expect(await rig.clock.until(drained)).toMatchObject({ finished: 0, givenBack: 1, aborted: 0, stuck: 0 });
});

test('what waited at its last receive is neither finished nor given back nor cut short', async () => {
  rig = createWorkerRig({ maxReceives: 1 });
  const { worker, events } = rig.worker(async () => anotherRunHasIt());
  rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  expect(await rig.clock.until(worker.drain('SIGTERM', 60_000))).toMatchObject({
    finished: 0,
    givenBack: 0,
    aborted: 0,
    stuck: 0,
  });
});

test('what waited for its turn and never ran is no job that ignored its abort', async () => {
  rig = createWorkerRig({ isOrdered: true });
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), { concurrency: 2 });
  rig.send('1', 'g');
  rig.send('2', 'g');
  const waits = next(events, 'message:waiting', ({ why }) => why === 'group');
  worker.start();
  await rig.clock.until(waits);
  await rig.clock.advance(1_000);
  rig.queue.fault = ({ name }) => (name === 'giveBack' ? { kind: 'failed', code: 'Away', message: 'no' } : null);
  expect(await rig.clock.until(worker.drain('SIGTERM', 1_000))).toMatchObject({ givenBack: 0, stuck: 0 });
});

test.each<[string, Disposition]>([
  ['another run', anotherRunHasIt()],
  ['a dependency that is away', { kind: 'retry', afterSeconds: 900, failure: AWAY }],
])('nothing is held any more, and no timer is left, after messages have waited for %s', async (_, disposition) => {
  const { worker, events } = rig.worker(async () => disposition, { concurrency: 3 });
  for (const key of ['a', 'b', 'c']) rig.send(key);
  const all = told(events, 'message:waiting', 3);
  worker.start();
  await rig.clock.until(all);
  await rig.clock.until(worker.drain('SIGTERM', 60_000));
  expect([worker.leases, worker.waiting, worker.busy, rig.clock.timers]).toEqual([0, 0, 0, 0]);
});
