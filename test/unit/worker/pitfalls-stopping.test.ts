import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
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

test('pitfall 17: what arrives after the stop is never started, and a group goes back in its order', async () => {
  rig = createWorkerRig({ isOrdered: true });
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      runs += 1;
      return ACK;
    },
    { concurrency: 3 },
  );
  // The poll is on its way to the queue when the stop comes, and finds all three.
  const sent = Promise.withResolvers<null>();
  rig.queue.fault = ({ name }) => (name === 'receive' ? sent.promise : null);
  worker.start();
  const brought = next(events, 'poll:answered', ({ messages }) => messages === 3);
  const drained = worker.drain('test', 1_000);
  for (const key of ['1', '2', '3']) rig.send(key, 'g');
  sent.resolve(null);
  await rig.clock.until(brought);
  const handles = rig.queue.inFlight;
  await rig.clock.until(drained);
  expect(runs).toBe(0);
  // The queue hands a group out again from its first visible message: the last goes back first.
  const returned = rig.queue.calls.filter(({ name }) => name === 'giveBack').flatMap((call) => call.handles);
  expect(returned).toEqual(handles.toReversed());
  rig.queue.fault = () => null;
  const order: string[] = [];
  const second = rig.worker(
    async ({ job }) => {
      order.push(job.key);
      return ACK;
    },
    { concurrency: 3 },
  );
  const all = next(second.events, 'message:deleted', () => order.length === 3);
  second.worker.start();
  await rig.clock.until(all);
  expect(order).toEqual(['1', '2', '3']);
});

test('pitfall 18 and 19: the abort of a stop reaches neither renewals nor deletes: work that ends after it still counts', async () => {
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      await aborted(signal);
      // The lease would be over by the fourth renewal had they ended with the stop.
      for (let count = 0; count < 4; count += 1) await next(events, 'lease:renewed');
      return ACK;
    },
    { settings: { unwindMs: 300_000 } },
  );
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  expect(await rig.clock.until(worker.drain('test', 0))).toMatchObject({ finished: 1, givenBack: 0, stuck: 0 });
  expect(rig.queue.size).toBe(0);
});

test('a job that never returns is left behind when its time to unwind is over, and its message goes back', async () => {
  const { worker, events } = rig.worker(() => new Promise(() => {}));
  const id = rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  const before = rig.clock.now();
  expect(await rig.clock.until(worker.drain('test', 30_000))).toMatchObject({ finished: 0, givenBack: 1, stuck: 1 });
  expect(rig.clock.now() - before).toBeGreaterThanOrEqual(32_000);
  expect(rig.queue.visible).toEqual([id]);
});

test('a crash gives everything back at once, whatever its job is doing', async () => {
  const { worker, events } = rig.worker(() => new Promise(() => {}), { concurrency: 2 });
  const ids = [rig.send('a'), rig.send('b')];
  let count = 0;
  const both = next(events, 'job:started', () => (count += 1) === 2);
  worker.start();
  await rig.clock.until(both);
  await rig.clock.until(worker.giveBackAll(1_800));
  expect(rig.queue.visible).toEqual(ids);
  expect(worker.state).toBe('draining');
});

test('a crash on a queue that does not answer is held up for its budget and no longer', async () => {
  const { worker, events } = rig.worker(() => new Promise(() => {}), { concurrency: 2 });
  rig.send('a');
  rig.send('b');
  let count = 0;
  const both = next(events, 'job:started', () => (count += 1) === 2);
  worker.start();
  await rig.clock.until(both);
  rig.queue.fault = () => new Promise(() => {});
  expect(worker.leases).toBe(2);
  const before = rig.clock.now();
  await rig.clock.until(worker.giveBackAll(1_800));
  expect(rig.clock.now() - before).toBe(1_800);
});
