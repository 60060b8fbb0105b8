import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import { aborted, next, told } from '../../harness/worker-events.ts';
import { anotherRunHasIt, createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
const FAILED = { kind: 'failed', code: 'Away', message: 'no' } as const;
const HOUR_MS = 3_600_000;
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig({ maxReceives: 3, isOrdered: true });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const reasons = (): readonly string[] => rig.queue.deadLetters.map(({ reason }) => reason.failure.code);

test('failures under one lease are no receives: a stop gives the message back', async () => {
  const { worker, events } = rig.worker(async () => ({
    kind: 'retry',
    afterSeconds: 30,
    failure: new Failure('DATABASE_CONFLICT', 'x'),
  }));
  const id = rig.send('a');
  const twice = told(events, 'message:waiting', 2);
  worker.start();
  await rig.clock.until(twice);
  await rig.clock.until(worker.drain('SIGTERM', 30_000));
  expect([rig.queue.visible, reasons(), rig.queue.mostReceives]).toEqual([[id], [], 1]);
});

test('what follows in the group of a message that stops the worker leaves a reason at its last receive', async () => {
  rig = createWorkerRig({ maxReceives: 1, isOrdered: true });
  const finish = Promise.withResolvers<void>();
  const { worker, events } = rig.worker(
    async () => {
      await finish.promise;
      return { kind: 'halt', failure: new Failure('GPU_LOST', 'gone') };
    },
    { concurrency: 2 },
  );
  rig.send('1', 'g');
  rig.send('2', 'g');
  const waits = next(events, 'message:waiting');
  worker.start();
  await rig.clock.until(waits);
  finish.resolve();
  await rig.clock.until(worker.stopped);
  const other = rig.worker(async () => ACK);
  other.worker.start();
  await rig.clock.advance(10_000);
  expect([reasons(), rig.queue.moved]).toEqual([['GPU_LOST', 'INTERRUPTED'], []]);
});

test('a message that is no job and whose end cannot be written down ends within its receives, and its group goes on', async () => {
  const { worker, events } = rig.worker(async () => ACK, {
    settings: { maxRetryDelaySeconds: 1_800 },
    options: { onRejectedMessage: () => Promise.reject(new Failure('DATABASE_CONFLICT', 'again')) },
  });
  rig.queue.send('not json', { groupId: 'g' });
  const second = rig.send('k', 'g');
  worker.start();
  await rig.clock.until(next(events, 'message:deleted', ({ messageId }) => messageId === second));
  expect([reasons(), rig.queue.size, rig.queue.mostReceives]).toEqual([['MESSAGE_NOT_JSON'], 0, 1]);
});

test('a group burns nothing while its first waits for room, also when that has waited its time', async () => {
  const failure = new Failure('WORK_DIR_SPACE', 'no room');
  const { worker, events } = rig.worker(
    async ({ job }) =>
      job.key === '1'
        ? { kind: 'wait', why: 'space', afterSeconds: 60, detail: 'no room', otherwise: { afterSeconds: 300, failure } }
        : ACK,
    { concurrency: 4 },
  );
  const statistics = new Statistics(events);
  for (const key of ['1', '2', '3']) rig.send(key, 'g');
  worker.start();
  await rig.clock.advance(3 * HOUR_MS);
  expect([reasons(), rig.queue.moved, rig.queue.size]).toEqual([['WORK_DIR_SPACE'], [], 0]);
  expect([rig.queue.mostReceives, statistics.summary().burntReceives]).toEqual([1, 0]);
});

test('where too many wait a group goes back in its order until its last receive, and none of it is lost', async () => {
  const ran = new Set<string>();
  const { worker } = rig.worker(
    async ({ job }) => {
      ran.add(job.key);
      return anotherRunHasIt();
    },
    { concurrency: 4, settings: { maxWaiting: 1 } },
  );
  rig.send('other', 'g0');
  for (const key of ['1', '2', '3']) rig.send(key, 'g1');
  worker.start();
  await rig.clock.advance(2 * HOUR_MS);
  expect([[...ran], worker.waiting]).toEqual([['other', '1'], 4]);
  expect([rig.queue.mostReceives, rig.queue.size, rig.queue.moved]).toEqual([3, 4, []]);
});

test('a message that comes again waits for its own aborted run, and then runs once', async () => {
  const returns = Promise.withResolvers<void>();
  let runs = 0;
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      runs += 1;
      if (runs > 1) return ACK;
      await aborted(signal);
      await returns.promise;
      return { kind: 'abandon', why: 'lease-lost' };
    },
    { concurrency: 2 },
  );
  rig.send('a', 'g');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  rig.queue.fault = ({ name }) => (name === 'extend' ? FAILED : null);
  await rig.clock.until(next(events, 'lease:lost'));
  rig.queue.fault = () => null;
  await rig.clock.until(next(events, 'message:waiting'));
  await rig.clock.advance(600_000);
  expect(runs).toBe(1);
  returns.resolve();
  await rig.clock.until(next(events, 'message:deleted'));
  expect([runs, rig.queue.mostReceives]).toEqual([2, 2]);
});

test('what follows in a group neither keeps it nor burns while the aborted run of the first has not returned', async () => {
  const { worker, events } = rig.worker(() => new Promise(() => {}), { concurrency: 2 });
  const first = rig.send('1', 'g');
  rig.send('2', 'g');
  const waits = next(events, 'message:waiting', ({ why }) => why === 'group');
  worker.start();
  await rig.clock.until(waits);
  const handle = rig.queue.inFlight[0];
  rig.queue.fault = ({ name, handles }) =>
    name === 'extend'
      ? handles.map((other) => (other === handle ? { ...FAILED, kind: 'gone' } : { kind: 'ok' }))
      : null;
  expect((await rig.clock.until(next(events, 'lease:lost'))).messageId).toBe(first);
  rig.queue.fault = () => null;
  await rig.clock.advance(HOUR_MS);
  expect([rig.queue.mostReceives, worker.waiting, rig.queue.size]).toEqual([2, 1, 2]);
});
