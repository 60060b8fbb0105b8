import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { aborted, next } from '../../harness/worker-events.ts';
import { createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
const UNKNOWN = new Failure('UNKNOWN', 'something new');
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig({ maxReceives: 5 });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test('errors that no rule knows stop the polling after a few objects, and end the worker when every try fails too', async () => {
  const { worker } = rig.worker(async () => ({ kind: 'retry', afterSeconds: 15, failure: UNKNOWN }), {
    concurrency: 2,
    settings: { maxRetryDelaySeconds: 1_800 },
  });
  for (let message = 0; message < 40; message += 1) rig.send(`object-${message}`);
  worker.start();
  const report = await rig.clock.until(worker.stopped);
  expect(report.failure).toMatchObject({ code: 'HOST_IN_DOUBT', class: 'system' });
  const received = rig.queue.calls.filter(({ name }) => name === 'giveBack').length;
  expect(received).toBeLessThan(15);
  expect([rig.queue.size, rig.queue.deadLetters, rig.queue.moved]).toEqual([40, [], []]);
});

test('one object whose job fails with such an error again and again stops nothing', async () => {
  const { worker, events } = rig.worker(async ({ job }) =>
    job.key === 'bad' ? { kind: 'retry', afterSeconds: 1, failure: UNKNOWN } : ACK,
  );
  let hasOpened = false;
  events.on('circuit:open', () => (hasOpened = true));
  rig.send('bad');
  worker.start();
  // What the job function does not say itself is left to the queue's policy.
  await rig.clock.advance(3_600_000);
  expect(rig.queue.moved).toHaveLength(1);
  rig.send('good');
  await rig.clock.until(next(events, 'message:deleted'));
  expect([worker.state, hasOpened]).toEqual(['polling', false]);
});

test('a job that was frozen gets its time again: a deadline that comes late proves nothing', async () => {
  let wasAborted = false;
  const finish = Promise.withResolvers<void>();
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      signal.addEventListener('abort', () => (wasAborted = true));
      await finish.promise;
      return ACK;
    },
    { settings: { maxProcessingSeconds: 20, visibilitySeconds: 300 } },
  );
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  await rig.clock.advance(10_000);
  rig.clock.jump(45_000);
  await rig.clock.advance(15_000);
  expect(wasAborted).toBe(false);
  finish.resolve();
  await rig.clock.until(next(events, 'message:deleted'));
});

test('a job that really runs longer than its time is ended by it', async () => {
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      const reason = await aborted(signal);
      return { kind: 'reject', failure: new Failure('JOB_DEADLINE', String(reason)) };
    },
    { settings: { maxProcessingSeconds: 20 } },
  );
  rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:dead-lettered'));
  expect(rig.clock.now()).toBeGreaterThanOrEqual(20_000);
  expect(rig.clock.now()).toBeLessThan(22_000);
});

test('a give-back that breaks off when the worker stops is tried again, so that the message is not hidden for its lease', async () => {
  let broken = 0;
  rig.queue.fault = ({ name }) => {
    if (name !== 'giveBack' || broken === 2) return null;
    broken += 1;
    return { kind: 'failed', code: 'ECONNRESET', message: 'reset' };
  };
  const { worker, events } = rig.worker(async (_delivery, signal) => {
    await aborted(signal);
    return { kind: 'abandon', why: 'shutdown' };
  });
  const id = rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  const report = await rig.clock.until(worker.drain('SIGTERM', 1_000));
  expect(report).toMatchObject({ givenBack: 1, aborted: 1 });
  expect([broken, rig.queue.visible]).toEqual([2, [id]]);
});

test('a job that was cut short counts also where its message could not be given back', async () => {
  rig.queue.fault = ({ name }) => (name === 'giveBack' ? { kind: 'failed', code: 'Away', message: 'no' } : null);
  const { worker, events } = rig.worker(async (_delivery, signal) => {
    await aborted(signal);
    return { kind: 'abandon', why: 'shutdown' };
  });
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  const from = rig.clock.now();
  expect(await rig.clock.until(worker.drain('SIGTERM', 1_000))).toMatchObject({ givenBack: 0, aborted: 1 });
  // The time that systemd gives to stop has room for it.
  expect(rig.clock.now() - from).toBeLessThan(35_000);
});

test('a system failure at the last receive of a message leaves its reason, and stops the worker all the same', async () => {
  rig = createWorkerRig({ maxReceives: 1 });
  const { worker } = rig.worker(async () => ({ kind: 'halt', failure: new Failure('GPU_LOST', 'gone') }));
  rig.send('a');
  worker.start();
  expect(await rig.clock.until(worker.stopped)).toMatchObject({ failure: { code: 'GPU_LOST' } });
  expect(rig.queue.deadLetters.map(({ reason }) => reason.failure.code)).toEqual(['GPU_LOST']);
});

test('a job knows that this receive is the last', async () => {
  rig = createWorkerRig({ maxReceives: 2 });
  const seen: boolean[] = [];
  const { worker, events } = rig.worker(async ({ isLastReceive }) => {
    seen.push(isLastReceive);
    return isLastReceive ? ACK : { kind: 'retry', afterSeconds: 1, failure: UNKNOWN };
  });
  rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:deleted'));
  expect(seen).toEqual([false, true]);
});

test('a message that is no job and whose end this host may not write down goes back, and the worker ends', async () => {
  const failure = new Failure('CREDENTIALS', 'permission denied for table error_events');
  const { worker } = rig.worker(async () => ACK, {
    options: { onRejectedMessage: () => Promise.reject(failure) },
  });
  rig.queue.send('not json');
  worker.start();
  expect(await rig.clock.until(worker.stopped)).toMatchObject({ failure: { code: 'CREDENTIALS' } });
  expect([rig.queue.visible.length, rig.queue.deadLetters, rig.queue.mostReceives]).toEqual([1, [], 1]);
});
