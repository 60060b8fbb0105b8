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

test('pitfall 11: an old handle deletes nothing on a standard queue, so without a live lease no delete is tried', async () => {
  let rival: string | undefined;
  const { worker, events } = rig.worker(async () => {
    // The process was frozen past the lease; a competitor takes the message.
    rig.clock.jump(61_000);
    const [taken] = await rig.queue.receive({ maxMessages: 1, waitSeconds: 0, visibilitySeconds: 600 });
    rival = taken?.receiptHandle;
    return ACK;
  });
  const deleted: string[] = [];
  events.on('message:deleted', ({ messageId }) => deleted.push(messageId));
  rig.send('a');
  const lost = next(events, 'lease:lost');
  worker.start();
  await rig.clock.until(lost);
  const report = await rig.clock.until(worker.drain('end', 5_000));
  expect(rival).toBeDefined();
  const deletes = rig.queue.calls.filter(({ name }) => name === 'acknowledge');
  expect([deletes, deleted, report.finished]).toEqual([[], [], 0]);
  // The competitor still holds it: nobody has deleted it or taken it away.
  expect(rig.queue.inFlight).toEqual([rival]);
});

test('pitfall 12: an ordered delete that is refused as expired is no success, and the redelivery is deleted without work', async () => {
  rig = createWorkerRig({ isOrdered: true });
  let refusals = 0;
  rig.queue.fault = ({ name }) => {
    if (name !== 'acknowledge' || refusals > 0) return null;
    refusals += 1;
    return { kind: 'gone', code: 'InvalidParameterValue', message: 'Reason: The receipt handle has expired.' };
  };
  let runs = 0;
  const { worker, events } = rig.worker(async () => {
    runs += 1;
    return ACK;
  });
  const order: string[] = [];
  events.on('message:remembered', () => order.push('remembered'));
  const deleted = next(events, 'message:deleted');
  events.on('message:deleted', () => order.push('deleted'));
  rig.send('a', 'g');
  worker.start();
  await rig.clock.until(deleted);
  expect([runs, refusals, order]).toEqual([1, 1, ['remembered', 'deleted']]);
});

test('pitfall 15: the message that runs here comes again: its run goes on under the newest handle, once', async () => {
  const finish = Promise.withResolvers<void>();
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      runs += 1;
      await finish.promise;
      return ACK;
    },
    { concurrency: 2 },
  );
  rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await rig.clock.until(started);
  const [receiptHandle = ''] = rig.queue.inFlight;
  const again = next(events, 'message:redelivered');
  await rig.queue.giveBack([{ receiptHandle, seconds: 0 }], 1_000);
  await rig.clock.until(again);
  const deleted = next(events, 'message:deleted');
  finish.resolve();
  await rig.clock.until(deleted);
  expect([runs, rig.queue.size]).toEqual([1, 0]);
});

test('pitfall 27: while a renewal fails no message is taken, and when it succeeds again the next one is', async () => {
  let broken = true;
  let refusals = 0;
  const enough = Promise.withResolvers<void>();
  rig.queue.fault = ({ name }) => {
    if (name !== 'extend' || !broken) return null;
    refusals += 1;
    if (refusals === 4) enough.resolve();
    return { kind: 'failed', code: 'RequestThrottled', message: 'slow down' };
  };
  const firstRefusal = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const started: string[] = [];
  const { worker, events } = rig.worker(
    async ({ job }) => {
      if (job.key === 'a') await finish.promise;
      return ACK;
    },
    { concurrency: 2, settings: { waitSeconds: 1 } },
  );
  events.on('job:started', ({ key }) => started.push(key));
  events.on('poll:answered', () => {
    if (!worker.renewalsHealthy) firstRefusal.resolve();
  });
  rig.send('a');
  worker.start();
  // The poll that was open when the renewal failed has ended: from here on none may be opened.
  await rig.clock.until(firstRefusal.promise);
  rig.send('b');
  await rig.clock.until(enough.promise);
  expect(started).toEqual(['a']);
  const second = next(events, 'job:started', ({ key }) => key === 'b');
  broken = false;
  await rig.clock.until(second);
  expect(worker.renewalsHealthy).toBe(true);
  finish.resolve();
});

test('pitfall 28: a job over its deadline holds its slot until its function has really returned', async () => {
  const release = Promise.withResolvers<void>();
  const overdue = Promise.withResolvers<void>();
  const order: string[] = [];
  const { worker, events } = rig.worker(
    async ({ job }, signal) => {
      order.push(`${job.key} begins`);
      if (job.key === 'slow') {
        await aborted(signal);
        overdue.resolve();
        await release.promise;
        order.push('slow ends');
        throw signal.reason;
      }
      return ACK;
    },
    { settings: { maxProcessingSeconds: 1 } },
  );
  rig.send('slow');
  worker.start();
  await rig.clock.until(overdue.promise);
  rig.send('fast');
  await rig.clock.advance(600_000);
  expect([order, rig.queue.openPolls]).toEqual([['slow begins'], 0]);
  const done = next(events, 'message:deleted', () => order.at(-1) === 'fast begins');
  release.resolve();
  await rig.clock.until(done);
  expect(order).toEqual(['slow begins', 'slow ends', 'fast begins']);
});
