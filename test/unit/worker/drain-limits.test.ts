import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aborted, next, told } from '../../harness/worker-events.ts';
import { anotherRunHasIt, createWorkerRig, type RigOptions, type WorkerRig } from '../../harness/worker-rig.ts';

const FAILED = { kind: 'failed', code: 'Away', message: 'no' } as const;
const DRAIN_SECONDS = 90;
/** What a service manager has to wait for beside that. */
const MORE_SECONDS = 40;
/** As a worker has them by default. */
const settings: RigOptions['settings'] = { visibilitySeconds: 300, unwindMs: 15_000 };
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const from = rig.clock.now();
  await rig.clock.until(work());
  return (rig.clock.now() - from) / 1_000;
}

function neverAnswer(): void {
  rig.queue.fault = ({ name }) => (name === 'receive' ? null : new Promise<null>(() => {}));
}

test.each(['a stop', 'a second signal'])(
  '%s is not held up by a message at its last receive of which nothing can be sent',
  async (signal) => {
    rig = createWorkerRig({ maxReceives: 1 });
    const { worker, events } = rig.worker(async () => anotherRunHasIt(), { settings });
    rig.send('a');
    worker.start();
    await rig.clock.until(next(events, 'message:waiting'));
    await rig.clock.advance(30_000);
    rig.queue.fault = ({ name }) => (name === 'receive' ? new Error('away') : FAILED);
    const end = (): Promise<unknown> =>
      signal === 'a stop' ? worker.drain('SIGTERM', 1_000) : worker.drainNow('again');
    expect(await secondsOf(end)).toBeLessThan(1 + MORE_SECONDS);
  },
);

test('many groups that wait do not hold up a stop while the queue does not answer', async () => {
  rig = createWorkerRig({ isOrdered: true });
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), { concurrency: 4, settings });
  for (let group = 0; group < 60; group += 1) rig.send(`k${group}`, `g${group}`);
  const all = told(events, 'message:waiting', 60);
  worker.start();
  await rig.clock.until(all);
  await rig.clock.advance(30_000);
  neverAnswer();
  expect(await secondsOf(() => worker.drain('SIGTERM', DRAIN_SECONDS * 1_000))).toBeLessThan(
    DRAIN_SECONDS + MORE_SECONDS,
  );
});

test('jobs of every kind do not hold up a stop while the queue does not answer: done ones, ones that end and ones that do not', async () => {
  const { worker, events } = rig.worker(
    async ({ job }, signal) => {
      if (job.key === 'stuck') await new Promise(() => {});
      await aborted(signal);
      return job.key === 'done' ? { kind: 'ack', outcome: 'completed' } : { kind: 'abandon', why: 'shutdown' };
    },
    { concurrency: 4, settings },
  );
  for (const key of ['done', 'stuck', 'c', 'd']) rig.send(key);
  const all = told(events, 'job:started', 4);
  worker.start();
  await rig.clock.until(all);
  // Renewals are under way when it stops.
  await rig.clock.advance(50_000);
  neverAnswer();
  const seconds = await secondsOf(() => worker.drain('SIGTERM', DRAIN_SECONDS * 1_000));
  expect(seconds).toBeLessThan(DRAIN_SECONDS + MORE_SECONDS);
  expect(await worker.stopped).toMatchObject({ finished: 1, givenBack: 0, aborted: 2, stuck: 1 });
});

test('a dead-letter queue that does not answer holds up a stop for one more call only', async () => {
  rig = createWorkerRig({ maxReceives: 1 });
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      await aborted(signal);
      return { kind: 'abandon', why: 'shutdown' };
    },
    { settings },
  );
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  rig.queue.fault = ({ name }) =>
    name === 'deadLetter'
      ? new Promise<null>((_, reject) => void rig.clock.after(10_000, () => reject(new Error('no answer'))))
      : null;
  const seconds = await secondsOf(() => worker.drain('SIGTERM', DRAIN_SECONDS * 1_000));
  expect(seconds).toBeLessThan(DRAIN_SECONDS + MORE_SECONDS);
  expect(await worker.stopped).toMatchObject({ aborted: 1, stuck: 0 });
});

test('a second signal ends a long drain at once: what runs and what waits goes back, and is received once', async () => {
  const { worker, events } = rig.worker(
    async ({ job }, signal) => {
      if (job.key !== 'runs') return anotherRunHasIt();
      await aborted(signal);
      return { kind: 'abandon', why: 'shutdown' };
    },
    { concurrency: 2 },
  );
  const ids = [rig.send('runs'), rig.send('waits')];
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  const drained = worker.drain('SIGTERM', 600_000);
  await rig.clock.advance(30_000);
  void worker.drainNow('again');
  expect(await rig.clock.until(drained)).toMatchObject({ reason: 'SIGTERM', givenBack: 2, aborted: 1, stuck: 0 });
  expect(rig.clock.now()).toBeLessThan(35_000);
  expect([rig.queue.visible, rig.queue.mostReceives]).toEqual([ids, 1]);
});
