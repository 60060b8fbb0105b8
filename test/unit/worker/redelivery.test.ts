import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { aborted, next } from '../../harness/worker-events.ts';
import { anotherRunHasIt, createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
const HOUR_MS = 3_600_000;
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

/** The message becomes visible though it is held here: an open poll brings it again. */
async function comeAgain(): Promise<void> {
  const [receiptHandle = ''] = rig.queue.inFlight;
  await rig.queue.giveBack([{ receiptHandle, seconds: 0 }], 1_000);
}

test('a message never runs twice at once, however often its lease is lost before its aborted run returns', async () => {
  const returns = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  let runs = 0;
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      runs += 1;
      most = Math.max(most, (running += 1));
      await aborted(signal);
      await returns.promise;
      running -= 1;
      return { kind: 'abandon', why: 'lease-lost' };
    },
    { concurrency: 3 },
  );
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  for (let loss = 0; loss < 2; loss += 1) {
    rig.queue.fault = ({ name }) => (name === 'extend' ? { kind: 'failed', code: 'Away', message: 'no' } : null);
    await rig.clock.until(next(events, 'lease:lost'));
    rig.queue.fault = () => null;
    await rig.clock.until(next(events, 'message:waiting'));
    await rig.clock.advance(70_000);
  }
  expect([runs, most, rig.queue.mostReceives]).toEqual([1, 1, 3]);
  const again = next(events, 'job:started');
  returns.resolve();
  await rig.clock.until(again);
  await rig.clock.advance(1_000);
  expect([runs, most]).toEqual([2, 1]);
});

test('what runs here and comes again while the worker drains goes on under the newer receive', async () => {
  const finish = Promise.withResolvers<void>();
  let wasAborted = false;
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      signal.addEventListener('abort', () => (wasAborted = true));
      await finish.promise;
      return ACK;
    },
    { concurrency: 2, settings: { visibilitySeconds: 30 } },
  );
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  await rig.clock.advance(100);
  const stopped = worker.drain('SIGTERM', 90_000);
  const redelivered = next(events, 'message:redelivered');
  await comeAgain();
  await rig.clock.until(redelivered);
  await rig.clock.advance(25_000);
  finish.resolve();
  expect(await rig.clock.until(stopped)).toMatchObject({ finished: 1, givenBack: 0, aborted: 0 });
  expect([wasAborted, rig.queue.size, rig.queue.mostReceives]).toEqual([false, 0, 2]);
});

test('what comes again while its copy is tried leaves one copy, and is deleted', async () => {
  const { worker, events } = rig.worker(async () => ({ kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') }), {
    concurrency: 2,
  });
  let isAway = true;
  rig.queue.fault = ({ name }) => (name === 'deadLetter' && isAway ? new Error('reset') : null);
  rig.send('a');
  const returned = next(events, 'job:returned');
  worker.start();
  await rig.clock.until(returned);
  await rig.clock.advance(5_000);
  const redelivered = next(events, 'message:redelivered');
  await comeAgain();
  await rig.clock.until(redelivered);
  isAway = false;
  await rig.clock.until(next(events, 'message:deleted'));
  await rig.clock.advance(120_000);
  expect([rig.queue.deadLetters.length, rig.queue.size, rig.queue.mostReceives]).toEqual([1, 0, 2]);
});

test('the count of receives goes on for a message that waits: the last one is known, and leaves a reason', async () => {
  rig = createWorkerRig({ maxReceives: 2 });
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), { concurrency: 2 });
  rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  await rig.clock.advance(100);
  const redelivered = next(events, 'message:redelivered');
  await comeAgain();
  await rig.clock.until(redelivered);
  expect([worker.waiting, rig.queue.mostReceives]).toEqual([1, 2]);
  await rig.clock.until(worker.drain('SIGTERM', 60_000));
  expect(rig.queue.deadLetters.map(({ reason }) => reason.failure.code)).toEqual(['INTERRUPTED']);
  expect(rig.queue.moved).toEqual([]);
});

test('what comes again for the last time while it is to be handed back leaves a reason', async () => {
  rig = createWorkerRig({ maxReceives: 2 });
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      await aborted(signal);
      return { kind: 'abandon', why: 'shutdown' };
    },
    { concurrency: 2, settings: { unwindMs: 15_000 } },
  );
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  await rig.clock.advance(100);
  const returned = next(events, 'job:returned');
  const stopped = worker.drain('SIGTERM', 0);
  await rig.clock.until(returned);
  const redelivered = next(events, 'message:redelivered');
  await comeAgain();
  await rig.clock.until(redelivered);
  await rig.clock.until(stopped);
  expect(rig.queue.deadLetters.map(({ reason }) => reason.failure.code)).toEqual(['INTERRUPTED']);
  expect([rig.queue.size, rig.queue.mostReceives]).toEqual([0, 2]);
});

test('a message that comes again may wait for as long as the newer receive lasts', async () => {
  const { worker, events } = rig.worker(() => new Promise(() => {}), { concurrency: 3 });
  let wentBack = 0;
  events.on('message:given-back', () => (wentBack += 1));
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  rig.queue.fault = ({ name }) => (name === 'extend' ? { kind: 'failed', code: 'Away', message: 'no' } : null);
  await rig.clock.until(next(events, 'lease:lost'));
  rig.queue.fault = () => null;
  // It waits for its aborted run, which never returns.
  await rig.clock.until(next(events, 'message:waiting'));
  await rig.clock.advance(8 * HOUR_MS);
  const redelivered = next(events, 'message:redelivered');
  await comeAgain();
  await rig.clock.until(redelivered);
  await rig.clock.advance(8 * HOUR_MS);
  expect([worker.waiting, wentBack, rig.queue.mostReceives]).toEqual([1, 0, 3]);
  await rig.clock.until(next(events, 'message:given-back'));
  expect(Math.round(rig.clock.now() / HOUR_MS)).toBe(20);
});

test.each(['polling', 'paused', 'draining'] as const)(
  'what is no job and waits for the database goes on under the newer receive of a worker that is %s',
  async (state) => {
    let isAway = true;
    const { worker, events } = rig.worker(async () => ACK, {
      concurrency: 2,
      options: {
        onRejectedMessage: async () => {
          if (isAway) throw new Failure('DATABASE_UNAVAILABLE', 'away');
        },
      },
    });
    rig.queue.send('not json');
    const waits = next(events, 'message:waiting');
    worker.start();
    await rig.clock.until(waits);
    await rig.clock.advance(100);
    if (state === 'paused') worker.pause();
    const stopped = state === 'draining' ? worker.drain('SIGTERM', 60_000) : null;
    const redelivered = next(events, 'message:redelivered');
    await comeAgain();
    await rig.clock.until(redelivered);
    expect(worker.leases).toBe(state === 'draining' ? 0 : 1);
    isAway = false;
    worker.resume();
    if (stopped !== null) {
      await rig.clock.until(stopped);
      expect([rig.queue.visible.length, rig.queue.mostReceives]).toEqual([1, 2]);
      return;
    }
    await rig.clock.until(next(events, 'message:deleted'));
    expect([rig.queue.deadLetters.length, rig.queue.size]).toEqual([1, 0]);
  },
);

test('a message that one answer brings twice is run once', async () => {
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      runs += 1;
      return ACK;
    },
    { concurrency: 2 },
  );
  rig.send('a');
  const receive = rig.queue.receive.bind(rig.queue);
  rig.queue.receive = async (request) => {
    const messages = await receive(request);
    return messages.flatMap((message) => [message, message]);
  };
  const redelivered = next(events, 'message:redelivered');
  worker.start();
  await rig.clock.until(redelivered);
  await rig.clock.advance(60_000);
  expect([runs, rig.queue.size, worker.leases]).toEqual([1, 0, 0]);
});

test('what was done here and could not be deleted is deleted when it comes again while the worker drains', async () => {
  const finish = Promise.withResolvers<void>();
  let runs = 0;
  const { worker, events } = rig.worker(
    async ({ job }) => {
      runs += 1;
      if (job.key === 'long') await finish.promise;
      return ACK;
    },
    { concurrency: 3 },
  );
  rig.send('a');
  rig.send('long');
  let isAway = true;
  const away = { kind: 'failed', code: 'Away', message: 'no' } as const;
  rig.queue.fault = ({ name }) => (name === 'acknowledge' && isAway ? away : null);
  const remembered = next(events, 'message:remembered');
  worker.start();
  await rig.clock.until(remembered);
  isAway = false;
  const stopped = worker.drain('SIGTERM', 300_000);
  const [receiptHandle = ''] = rig.queue.inFlight;
  await rig.queue.giveBack([{ receiptHandle, seconds: 0 }], 1_000);
  await rig.clock.until(next(events, 'message:deleted'));
  finish.resolve();
  expect(await rig.clock.until(stopped)).toMatchObject({ givenBack: 0 });
  expect([runs, rig.queue.size]).toEqual([2, 0]);
});

test.each<[string, boolean, Disposition]>([
  ['done', false, ACK],
  ['done', true, ACK],
  ['rejected', false, { kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') }],
])('what is %s and comes again while its delete is under way is deleted (ordered: %s)', async (_, isOrdered, end) => {
  rig = createWorkerRig({ isOrdered });
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      runs += 1;
      return end;
    },
    { concurrency: 2 },
  );
  const deletes = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  rig.queue.fault = ({ name }) => {
    if (name !== 'acknowledge') return null;
    asked.resolve();
    return deletes.promise.then(() => null);
  };
  rig.send('a');
  worker.start();
  await rig.clock.until(asked.promise);
  const redelivered = next(events, 'message:redelivered');
  await comeAgain();
  await rig.clock.until(redelivered);
  deletes.resolve();
  await rig.clock.until(next(events, 'message:deleted'));
  await rig.clock.advance(120_000);
  expect([runs, rig.queue.size, rig.queue.mostReceives]).toEqual([1, 0, 2]);
  expect(rig.queue.deadLetters).toHaveLength(end.kind === 'reject' ? 1 : 0);
});

test('what was copied and lost its lease before its delete is deleted when it comes again, not copied again', async () => {
  let runs = 0;
  const { worker, events } = rig.worker(async () => {
    runs += 1;
    return { kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') };
  });
  rig.queue.fault = ({ name }) => {
    // Too late for the delete to go without a word of the queue, which is away from then on.
    if (name === 'deadLetter') return new Promise((resolve) => void rig.clock.after(15_000, () => resolve(null)));
    return name === 'extend' ? { kind: 'failed', code: 'Away', message: 'no' } : null;
  };
  rig.send('a');
  const lost = next(events, 'lease:lost');
  worker.start();
  await rig.clock.until(lost);
  rig.queue.fault = () => null;
  await rig.clock.until(next(events, 'message:deleted'));
  expect([runs, rig.queue.deadLetters.length, rig.queue.size]).toEqual([1, 1, 0]);
});
