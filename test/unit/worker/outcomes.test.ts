import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { ownOutput } from '../../../src/job/own-output.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import { FakeQueue } from '../../harness/fake-queue.ts';
import { aborted, next } from '../../harness/worker-events.ts';
import { createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test('work that was reported as done under a lost lease is not counted as completed', async () => {
  const { worker, events } = rig.worker(async (_delivery, signal) => {
    await aborted(signal);
    return ACK;
  });
  const statistics = new Statistics(events);
  rig.send('a');
  const started = next(events, 'job:started');
  const settled = next(events, 'job:settled');
  worker.start();
  await rig.clock.until(started);
  await rig.queue.acknowledge(rig.queue.inFlight, 1_000);
  expect((await rig.clock.until(settled)).settled).toBe('lost');
  expect(statistics.summary()).toMatchObject({ started: 1, completed: 0, lostAfterDone: 1, leasesLost: 1 });
});

test('a system failure stops the worker also where its lease was lost meanwhile', async () => {
  const { worker, events } = rig.worker(async (_delivery, signal) => {
    await aborted(signal);
    return { kind: 'halt', failure: new Failure('GPU_LOST', 'gone') };
  });
  rig.send('a');
  const started = next(events, 'job:started');
  const stopped = next(events, 'worker:state', ({ state }) => state === 'stopped');
  worker.start();
  await rig.clock.until(started);
  await rig.queue.acknowledge(rig.queue.inFlight, 1_000);
  await rig.clock.until(stopped);
  expect(await worker.drain('again', 0)).toMatchObject({ failure: { code: 'GPU_LOST' } });
});

test('each form of end is counted: a message that is no job, one for nothing, a good one', async () => {
  const { worker, events } = rig.worker(async () => ACK, { concurrency: 3 });
  const statistics = new Statistics(events);
  rig.queue.send('{nothing');
  rig.queue.send('{"Service":"Amazon S3","Event":"s3:TestEvent"}');
  rig.send('a');
  let deleted = 0;
  const all = next(events, 'message:deleted', () => (deleted += 1) === 3);
  // Told after the delete.
  const settled = next(events, 'job:settled');
  worker.start();
  await rig.clock.until(Promise.all([all, settled]));
  expect(statistics.summary()).toMatchObject({
    started: 1,
    completed: 1,
    ignored: 1,
    failed: 1,
    byStage: { message: 1 },
  });
});

test("the worker's own images are ignored and counted, and passed over beside what was uploaded", async () => {
  const done: string[] = [];
  const { worker, events } = rig.worker(
    async ({ job }) => {
      done.push(job.key);
      return ACK;
    },
    { options: { ignores: ownOutput('b') } },
  );
  const statistics = new Statistics(events);
  const record = (key: string): object => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'b' }, object: { key, size: 5 } },
  });
  rig.send('highlights/7/1.0s_falling.jpg');
  rig.queue.send(JSON.stringify({ Records: [record('highlights/7/1.0s_falling.jpg'), record('uploaded.mp4')] }));
  let deleted = 0;
  const all = next(events, 'message:deleted', () => (deleted += 1) === 2);
  const settled = next(events, 'job:settled');
  worker.start();
  await rig.clock.until(Promise.all([all, settled]));
  expect(done).toEqual(['uploaded.mp4']);
  expect(statistics.summary()).toMatchObject({ started: 1, completed: 1, ignored: 1, failed: 0 });
});

test('a circuit pauses the polling for the dependency that the failed step calls, and its success ends the pause', async () => {
  let away = true;
  const { worker, events } = rig.worker(
    async () =>
      away ? { kind: 'retry', afterSeconds: 0, failure: new Failure('NETWORK', 'x', { stage: 'claim' }) } : ACK,
    { settings: { breaker: { threshold: 2, firstPauseMs: 300, maxPauseMs: 300 } } },
  );
  rig.send('a');
  const opened = next(events, 'circuit:open');
  const closed = next(events, 'circuit:closed');
  worker.start();
  expect(await rig.clock.until(opened)).toEqual({ dependency: 'database', forMs: 300 });
  away = false;
  expect((await rig.clock.until(closed)).dependency).toBe('database');
});

test('a drain leaves finished work hidden whose delete does not come through: given back, it would run again', async () => {
  rig.queue.fault = ({ name }) =>
    name === 'acknowledge' ? { kind: 'failed', code: 'ServiceUnavailable', message: 'no' } : null;
  const { worker, events } = rig.worker(async () => ACK, {
    settings: { visibilitySeconds: 600, unwindMs: 50 },
  });
  rig.send('a');
  const returned = next(events, 'job:returned');
  const settled = next(events, 'job:settled');
  worker.start();
  await rig.clock.until(returned);
  expect(await rig.clock.until(worker.drain('test', 50))).toMatchObject({ givenBack: 0, stuck: 0 });
  expect((await rig.clock.until(settled)).settled).toBe('remembered');
  expect([rig.queue.visible.length, rig.queue.inFlight.length]).toEqual([0, 1]);
});

test('a system failure hands its message back so that no open poll of its own takes it in again', async () => {
  const { worker, events } = rig.worker(
    async () => ({ kind: 'halt', failure: new Failure('GPU_LOST', 'gone') }),
    // The second slot keeps a poll open for long.
    { concurrency: 2, settings: { waitSeconds: 20, visibilitySeconds: 600 } },
  );
  const polled = next(events, 'poll:answered');
  rig.send('a');
  worker.start();
  await rig.clock.until(polled);
  expect(await rig.clock.until(worker.stopped)).toMatchObject({ failure: { code: 'GPU_LOST' }, stuck: 0 });
  expect([rig.queue.visible.length, rig.queue.mostReceives]).toEqual([1, 1]);
});

test('queues get their share of a single slot by weight while all of them have messages', async () => {
  const share = { high: 6, normal: 3, low: 1 };
  const queues = Object.entries(share).map(([name, weight]) => {
    const messages = new FakeQueue({ clock: rig.clock, id: name });
    // One more than its share, so that none runs dry before the ten turns are over.
    for (let index = 0; index <= weight; index += 1) {
      messages.send(JSON.stringify({ bucket: 'b', key: `${name}-${index}` }));
    }
    return { name, weight, messages };
  });
  const started: string[] = [];
  const { worker, events } = rig.worker(async () => ACK, { options: { queues } });
  const ten = next(events, 'job:started', ({ key }) => started.push(key.split('-')[0] ?? '') === 10);
  worker.start();
  await rig.clock.until(ten);
  const first = started.slice(0, 10);
  const counts = Object.fromEntries(Object.keys(share).map((name) => [name, first.filter((n) => n === name).length]));
  expect(counts).toEqual(share);
});

test('a paused worker keeps the lease of its job and takes nothing, a resumed one goes on', async () => {
  const finish = Promise.withResolvers<void>();
  const { worker, events } = rig.worker(
    async ({ job }) => {
      if (job.key === 'running') await finish.promise;
      return ACK;
    },
    { concurrency: 2 },
  );
  rig.send('running');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  worker.pause();
  // Longer than the poll that was open.
  await rig.clock.advance(600_000);
  rig.send('later');
  await rig.clock.advance(600_000);
  expect([rig.queue.visible.length, rig.queue.inFlight.length, rig.queue.openPolls]).toEqual([1, 1, 0]);
  expect([worker.state, worker.busy]).toEqual(['paused', 1]);
  const later = next(events, 'job:started', ({ key }) => key === 'later');
  worker.resume();
  await rig.clock.until(later);
  expect(worker.state).toBe('polling');
  finish.resolve();
});

test('a drain that joins another can bring its deadline closer, never put it off', async () => {
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      await aborted(signal);
      return { kind: 'abandon', why: 'host-interruption' };
    },
    { settings: { visibilitySeconds: 600 } },
  );
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  const slow = worker.drain('rebalance', 3_600_000, 'host-interruption');
  const later = worker.drain('a stop signal', 7_200_000);
  const soon = worker.drain('spot-interruption', 20, 'host-interruption');
  expect(await rig.clock.until(slow)).toMatchObject({ reason: 'rebalance', givenBack: 1, stuck: 0 });
  expect([await later, await soon]).toEqual([await slow, await slow]);
});
