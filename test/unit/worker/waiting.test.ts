import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import { aborted, next } from '../../harness/worker-events.ts';
import { anotherRunHasIt, createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
const AWAY = new Failure('DATABASE_UNAVAILABLE', 'the server is gone', { stage: 'claim' });
const HOUR_MS = 3_600_000;
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig({ maxReceives: 3 });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test('a second message about an object waits without a slot and without a receive until the first is done, then runs', async () => {
  const finish = Promise.withResolvers<void>();
  const log: string[] = [];
  let isDone = false;
  const { worker, events } = rig.worker(
    async ({ job, messageId }) => {
      if (job.key === 'other') return ACK;
      log.push(messageId);
      if (messageId === first) {
        await finish.promise;
        isDone = true;
        return ACK;
      }
      return isDone ? { kind: 'ack', outcome: 'duplicate' } : anotherRunHasIt();
    },
    { concurrency: 2 },
  );
  const first = rig.send('same');
  const second = rig.send('same');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  expect([worker.busy, worker.waiting]).toEqual([1, 1]);
  // Its slot is free for another.
  const other = rig.send('other');
  await rig.clock.until(next(events, 'message:deleted', ({ messageId }) => messageId === other));
  await rig.clock.advance(2 * HOUR_MS);
  const deleted = next(events, 'message:deleted', ({ messageId }) => messageId === second);
  const from = rig.clock.now();
  finish.resolve();
  await rig.clock.until(deleted);
  // Woken by the end of the first, not by its next look.
  expect(rig.clock.now() - from).toBeLessThan(1_000);
  expect([rig.queue.mostReceives, rig.queue.moved]).toEqual([1, []]);
  expect(log.slice(0, 2)).toEqual([first, second]);
});

test('what another worker has is looked at with growing pauses under the lease, as long as it takes', async () => {
  const looks: number[] = [];
  let isDone = false;
  const { worker, events } = rig.worker(async () => {
    looks.push(rig.clock.now());
    return isDone ? { kind: 'ack', outcome: 'duplicate' } : anotherRunHasIt(60);
  });
  rig.send('a');
  worker.start();
  await rig.clock.advance(2 * HOUR_MS);
  isDone = true;
  await rig.clock.until(next(events, 'message:deleted'));
  const pauses = looks.slice(1, 7).map((at, index) => Math.round((at - looks[index]!) / 1_000));
  expect(pauses).toEqual([5, 10, 20, 40, 60, 60]);
  expect(rig.queue.mostReceives).toBe(1);
});

test('while what a message needs is away it waits under its lease and burns nothing, also at its last receive', async () => {
  rig = createWorkerRig({ maxReceives: 1 });
  let isAway = true;
  const { worker, events } = rig.worker(
    async () => (isAway ? { kind: 'retry', afterSeconds: 30, failure: AWAY } : ACK),
    { concurrency: 2, settings: { maxRetryDelaySeconds: 600 } },
  );
  for (const key of ['a', 'b', 'c', 'd']) rig.send(key);
  worker.start();
  await rig.clock.advance(6 * HOUR_MS);
  isAway = false;
  let count = 0;
  await rig.clock.until(next(events, 'message:deleted', () => (count += 1) === 4));
  expect([rig.queue.mostReceives, rig.queue.moved, rig.queue.deadLetters]).toEqual([1, [], []]);
});

test('when a dependency is back, those who wait for it are run at once and not when their pause is over', async () => {
  let isAway = true;
  const { worker, events } = rig.worker(
    async () => (isAway ? { kind: 'retry', afterSeconds: 900, failure: AWAY } : ACK),
    { concurrency: 3, settings: { breaker: { threshold: 3, firstPauseMs: 15_000, maxPauseMs: 15_000 } } },
  );
  for (const key of ['a', 'b', 'c']) rig.send(key);
  worker.start();
  await rig.clock.until(next(events, 'circuit:open'));
  isAway = false;
  rig.send('d');
  let count = 0;
  await rig.clock.until(next(events, 'message:deleted', () => (count += 1) === 4));
  expect(rig.clock.now()).toBeLessThan(60_000);
});

test('a message with a trouble of its own is not every try of an open circuit: a new one finds out that others are answered', async () => {
  const failure = new Failure('KMS_REFUSED', 'its key is disabled', { stage: 'head' });
  const { worker, events } = rig.worker(
    async ({ job }) => (job.key === 'locked' ? { kind: 'retry', afterSeconds: 1, failure } : ACK),
    { settings: { breaker: { threshold: 2, firstPauseMs: 15_000, maxPauseMs: 300_000 }, maxRetryDelaySeconds: 1 } },
  );
  rig.send('locked');
  worker.start();
  await rig.clock.until(next(events, 'circuit:open'));
  rig.send('good');
  await rig.clock.until(next(events, 'message:deleted'));
  expect(rig.clock.now()).toBeLessThan(120_000);
});

test('a message waits for room only so long, then fails for now; at its last receive it leaves the reason', async () => {
  rig = createWorkerRig({ maxReceives: 2 });
  const failure = new Failure('WORK_DIR_SPACE', 'no room');
  const { worker, events } = rig.worker(async () => ({
    kind: 'wait',
    why: 'space',
    afterSeconds: 60,
    detail: 'no room',
    otherwise: { afterSeconds: 300, failure },
  }));
  rig.send('a');
  worker.start();
  const back = await rig.clock.until(next(events, 'message:given-back'));
  expect(back.why).toBe('WORK_DIR_SPACE');
  expect(Math.round(rig.clock.now() / 1_000)).toBeGreaterThanOrEqual(300);
  expect((await rig.clock.until(next(events, 'message:dead-lettered'))).code).toBe('WORK_DIR_SPACE');
});

test('beyond the limit a message goes back with a delay that grows, and its burnt receives are counted', async () => {
  rig = createWorkerRig();
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), { concurrency: 2, settings: { maxWaiting: 1 } });
  const statistics = new Statistics(events);
  const delays: number[] = [];
  events.on('message:given-back', ({ afterSeconds }) => delays.push(afterSeconds));
  rig.send('a');
  rig.send('b');
  worker.start();
  await rig.clock.until(next(events, 'message:given-back', () => delays.length >= 3));
  expect(delays.slice(0, 3)).toEqual([30, 60, 120]);
  expect(statistics.summary().burntReceives).toBe(3);
  expect(worker.waiting).toBe(1);
});

test('at its last receive a message waits also beyond the limit: given back it would be moved away without a word', async () => {
  rig = createWorkerRig({ maxReceives: 1 });
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), { concurrency: 2, settings: { maxWaiting: 1 } });
  rig.send('a');
  rig.send('b');
  let count = 0;
  const both = next(events, 'message:waiting', () => (count += 1) === 2);
  worker.start();
  await rig.clock.until(both);
  await rig.clock.advance(HOUR_MS);
  expect([worker.waiting, rig.queue.moved]).toEqual([2, []]);
});

test('what waits goes back at once when the worker stops, a group in its order, and is counted as burnt', async () => {
  rig = createWorkerRig({ isOrdered: true });
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), { concurrency: 3 });
  const statistics = new Statistics(events);
  for (const key of ['1', '2', '3']) rig.send(key, 'g');
  let count = 0;
  const all = next(events, 'message:waiting', () => (count += 1) === 3);
  worker.start();
  await rig.clock.until(all);
  const report = await rig.clock.until(worker.drain('SIGTERM', 60_000));
  expect(report).toMatchObject({ givenBack: 3, aborted: 0, stuck: 0 });
  expect(rig.queue.visible).toHaveLength(3);
  expect(statistics.summary().burntReceives).toBe(3);
});

test('what waits at its last receive goes with a reason when the worker stops', async () => {
  rig = createWorkerRig({ maxReceives: 1 });
  const written: string[] = [];
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), {
    options: { onRejectedMessage: async ({ messageId }, { code }) => void written.push(`${messageId} ${code}`) },
  });
  const id = rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  await rig.clock.until(worker.drain('SIGTERM', 60_000));
  expect(written).toEqual([`${id} INTERRUPTED`]);
  expect(rig.queue.deadLetters.map(({ reason }) => reason.failure.code)).toEqual(['INTERRUPTED']);
  expect(rig.queue.size).toBe(0);
});

test('a waiting message whose lease is lost is let go', async () => {
  const { worker, events } = rig.worker(async () => anotherRunHasIt());
  const id = rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  rig.queue.remove(id);
  await rig.clock.until(next(events, 'lease:lost'));
  await rig.clock.advance(0);
  expect([worker.waiting, worker.leases]).toEqual([0, 0]);
});

test('a message waits on past the twelve hours of one receive: it comes again and goes on waiting', async () => {
  rig = createWorkerRig();
  let isDone = false;
  const { worker, events } = rig.worker(async () => (isDone ? ACK : anotherRunHasIt()));
  rig.send('a');
  worker.start();
  await rig.clock.advance(13 * HOUR_MS);
  expect([rig.queue.mostReceives, worker.waiting]).toEqual([2, 1]);
  isDone = true;
  await rig.clock.until(next(events, 'message:deleted'));
});

test('at its last receive a message that waits leaves what it waits for as the reason before the queue takes it away', async () => {
  rig = createWorkerRig({ maxReceives: 1 });
  const { worker, events } = rig.worker(async () => ({ kind: 'retry', afterSeconds: 30, failure: AWAY }), {
    settings: { maxRetryDelaySeconds: 1_800 },
  });
  rig.send('a');
  worker.start();
  expect((await rig.clock.until(next(events, 'message:dead-lettered'))).code).toBe('DATABASE_UNAVAILABLE');
  expect(rig.clock.now()).toBeGreaterThan(11.5 * HOUR_MS);
  expect(rig.queue.moved).toEqual([]);
});

test('what one message alone finds away does not keep it for ever: it goes back, and at the last receive leaves its reason', async () => {
  const failure = new Failure('TIMEOUT', 'nothing came', { stage: 'download' });
  let runs = 0;
  const { worker, events } = rig.worker(
    async ({ job, isLastReceive, isAlone }) => {
      if (job.key !== 'slow') return ACK;
      runs += 1;
      return isLastReceive && isAlone === true
        ? { kind: 'reject', failure }
        : { kind: 'retry', afterSeconds: 15, failure };
    },
    { concurrency: 2 },
  );
  rig.send('slow');
  // Others get their answers from the same store all the time.
  let sent = 0;
  events.on('message:waiting', () => void rig.send(`quick-${(sent += 1)}`));
  worker.start();
  expect((await rig.clock.until(next(events, 'message:dead-lettered'))).code).toBe('TIMEOUT');
  expect([rig.queue.mostReceives, rig.queue.moved]).toEqual([3, []]);
  expect(runs).toBeLessThan(14);
});

test('a message that comes again while its aborted run has not returned waits for that, and runs once more then', async () => {
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
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  rig.queue.fault = ({ name }) => (name === 'extend' ? { kind: 'failed', code: 'Busy', message: 'later' } : null);
  await rig.clock.until(next(events, 'lease:lost'));
  rig.queue.fault = () => null;
  await rig.clock.until(next(events, 'message:waiting'));
  await rig.clock.advance(HOUR_MS);
  expect([runs, rig.queue.mostReceives]).toEqual([1, 2]);
  returns.resolve();
  await rig.clock.until(next(events, 'message:deleted'));
  expect([runs, rig.queue.mostReceives]).toEqual([2, 2]);
});

test('of a message with several objects only those that had to wait are run again', async () => {
  const log: string[] = [];
  const { worker, events } = rig.worker(async ({ job }) => {
    log.push(job.key);
    return job.key === 'b' && log.length < 4 ? anotherRunHasIt() : ACK;
  });
  const record = (key: string): object => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'v' }, object: { key } },
  });
  rig.queue.send(JSON.stringify({ Records: [record('a'), record('b')] }));
  worker.start();
  await rig.clock.until(next(events, 'message:deleted'));
  expect(log).toEqual(['a', 'b', 'b', 'b']);
});
