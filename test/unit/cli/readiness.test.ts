import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { healthSource } from '../../../src/cli/worker-health.ts';
import type { Disposition } from '../../../src/failure/disposition.ts';
import type { HealthReport } from '../../../src/telemetry/health-server.ts';
import { createWorkerMetrics, type WorkerMetrics } from '../../../src/telemetry/worker-metrics.ts';
import type { ProcessJob } from '../../../src/worker/delivery.ts';
import type { WorkerEventBus } from '../../../src/worker/events.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import type { Worker } from '../../../src/worker/worker.ts';
import { FakeQueue } from '../../harness/fake-queue.ts';
import { next, told } from '../../harness/worker-events.ts';
import { createWorkerRig, type RigOptions, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
const AWAY = { kind: 'failed', code: 'Away', message: 'no answer' } as const;
const WAIT_SECONDS = 20;
let rig: WorkerRig;
let metrics: WorkerMetrics;

beforeEach(() => {
  rig = createWorkerRig();
  metrics = createWorkerMetrics({
    slots: 1,
    busySlots: () => 0,
    waiting: () => 0,
    leases: () => 0,
    pollAgeMs: () => null,
  });
});
afterEach(async () => {
  metrics[Symbol.dispose]();
  await rig[Symbol.asyncDispose]();
});

interface Observed {
  readonly worker: Worker;
  readonly events: WorkerEventBus;
  readonly ready: () => HealthReport;
}

function observed(processJob: ProcessJob, options: RigOptions = {}): Observed {
  const { worker, events } = rig.worker(processJob, {
    ...options,
    settings: { visibilitySeconds: 300, ...options.settings },
  });
  const source = healthSource({ worker, metrics, statistics: new Statistics(events), waitSeconds: WAIT_SECONDS });
  return { worker, events, ready: () => source.ready() };
}

const forever: ProcessJob = () => new Promise(() => {});
const everyCall = (): void => {
  rig.queue.fault = ({ name }) => (name === 'receive' ? new Error('refused') : AWAY);
};

async function busyWith(count: number, { worker, events }: Observed): Promise<void> {
  for (let index = 0; index < count; index += 1) rig.send(`v${index}`);
  const all = count === 0 ? Promise.resolve() : told(events, 'job:started', count).then(() => {});
  worker.start();
  await rig.clock.until(all);
}

test.each([0, 1, 2])('a queue that is away makes a worker with 3 slots and %i of them busy not ready', async (busy) => {
  const seen = observed(forever, { concurrency: 3 });
  await busyWith(busy, seen);
  await rig.clock.advance(WAIT_SECONDS * 1_000 + 1_000);
  expect([seen.worker.busy, seen.ready().ok]).toEqual([busy, true]);
  rig.queue.fault = ({ name }) => (name === 'receive' ? new Error('refused') : null);
  await rig.clock.until(next(seen.events, 'poll:failed'));
  expect(seen.ready()).toMatchObject({ ok: false, details: { away: 'queue videos' } });
  // A renewal that comes through says nothing of polls that do not.
  await rig.clock.advance(600_000);
  expect(seen.ready().ok).toBe(false);
  rig.queue.fault = () => null;
  await rig.clock.until(next(seen.events, 'poll:answered'));
  expect(seen.ready()).toMatchObject({ ok: true, details: { away: '' } });
});

test('a queue that is back is known within seconds after the pause, though it has no message', async () => {
  const seen = observed(forever, { concurrency: 2 });
  seen.worker.start();
  await rig.clock.advance(1_000);
  everyCall();
  await rig.clock.until(told(seen.events, 'poll:failed', 3));
  rig.queue.fault = () => null;
  await rig.clock.advance(10_000);
  expect(seen.ready().ok).toBe(true);
});

test('a full worker asks for nothing and is ready, for as long as what it does ask is answered', async () => {
  const seen = observed(forever, { concurrency: 2 });
  await busyWith(2, seen);
  for (let minute = 0; minute < 30; minute += 1) {
    await rig.clock.advance(60_000);
    expect(seen.ready().ok).toBe(true);
  }
  everyCall();
  await rig.clock.until(
    new Promise<void>((resolve) => {
      const { fault } = rig.queue;
      rig.queue.fault = (call) => {
        resolve();
        return fault(call);
      };
    }),
  );
  await rig.clock.advance(10);
  expect(seen.ready()).toMatchObject({ ok: false, details: { away: 'queue videos', renewalsHealthy: false } });
  rig.queue.fault = () => null;
  await rig.clock.until(next(seen.events, 'lease:renewed'));
  await rig.clock.advance(1_000);
  expect(seen.ready().ok).toBe(true);
});

test('a delete that is refused tells of a full worker what no poll can', async () => {
  const finish = Promise.withResolvers<void>();
  const seen = observed(
    async ({ job }) => {
      if (job.key === 'v0') await finish.promise;
      else await new Promise(() => {});
      return ACK;
    },
    { concurrency: 2 },
  );
  await busyWith(2, seen);
  rig.send('v2');
  await rig.clock.advance(100);
  rig.queue.fault = ({ name }) => (name === 'acknowledge' ? AWAY : null);
  const again = next(seen.events, 'job:started', ({ key }) => key === 'v2');
  finish.resolve();
  await rig.clock.until(again);
  await rig.clock.advance(100);
  expect(seen.ready()).toMatchObject({ ok: false, details: { busy: 2, away: 'queue videos' } });
});

test('one of three queues that is away is named, whatever the others answer', async () => {
  const [high, low] = ['high', 'low'].map((id) => new FakeQueue({ clock: rig.clock, id }));
  if (high === undefined || low === undefined) throw new Error('two queues were made');
  const queues = [
    { name: 'high', weight: 6, messages: high },
    { name: 'normal', weight: 3, messages: rig.queue },
    { name: 'low', weight: 1, messages: low },
  ];
  const seen = observed(async () => ACK, { concurrency: 2, options: { queues } });
  seen.worker.start();
  await rig.clock.advance(60_000);
  expect(seen.ready().ok).toBe(true);
  low.fault = ({ name }) => (name === 'receive' ? new Error('denied') : null);
  await rig.clock.until(next(seen.events, 'poll:failed'));
  await rig.clock.advance(60_000);
  expect(seen.ready()).toMatchObject({ ok: false, details: { away: 'queue low' } });
  low.fault = () => null;
  await rig.clock.advance(60_000);
  expect(seen.ready().ok).toBe(true);
});

test('what a poll was told before the worker was full says nothing later, until a slot is free again', async () => {
  const low = new FakeQueue({ clock: rig.clock, id: 'low' });
  const queues = [
    { name: 'high', weight: 6, messages: rig.queue },
    { name: 'low', weight: 1, messages: low },
  ];
  const finish = Promise.withResolvers<void>();
  const seen = observed(() => finish.promise.then(() => ACK), { concurrency: 2, options: { queues } });
  low.fault = ({ name }) => (name === 'receive' ? new Error('refused') : null);
  const failed = next(seen.events, 'poll:failed');
  seen.worker.start();
  await rig.clock.until(failed);
  expect(seen.ready()).toMatchObject({ ok: false, details: { away: 'queue low' } });
  const full = told(seen.events, 'job:started', 2);
  for (const key of ['a', 'b']) rig.send(key);
  await rig.clock.until(full);
  await rig.clock.advance(3_600_000);
  expect(seen.ready()).toMatchObject({ ok: true, details: { busy: 2, away: '' } });
  finish.resolve();
  await rig.clock.until(next(seen.events, 'poll:failed'));
  expect(seen.ready()).toMatchObject({ ok: false, details: { away: 'queue low' } });
  low.fault = () => null;
  await rig.clock.advance(60_000);
  expect(seen.ready().ok).toBe(true);
});

test('it is not ready before the first answer, in a pause, and when polls stand still', async () => {
  const seen = observed(forever, { concurrency: 2 });
  expect(seen.ready().ok).toBe(false);
  everyCall();
  seen.worker.start();
  await rig.clock.advance(10);
  expect(seen.ready()).toMatchObject({ ok: false, details: { away: 'queue videos', pollAgeMs: null } });
  rig.queue.fault = () => null;
  await rig.clock.until(next(seen.events, 'poll:answered'));
  expect(seen.ready().ok).toBe(true);
  seen.worker.pause();
  expect(seen.ready().ok).toBe(false);
  seen.worker.resume();
  expect(seen.ready().ok).toBe(true);
  // Nothing is busy, nothing is said to have failed, and no poll comes back.
  rig.queue.receive = () => new Promise(() => {});
  await rig.clock.advance(WAIT_SECONDS * 1_000);
  expect(seen.ready().ok).toBe(true);
  await rig.clock.advance(60_000 + WAIT_SECONDS * 1_000);
  expect(seen.ready().ok).toBe(false);
});
