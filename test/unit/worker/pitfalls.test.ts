/*
 * Where each known pitfall of an SQS worker is tested; the tests carry its number in their names.
 *
 *   1 lease measured from the answer .......... unit/queue/lease-keeper
 *   2 lease aging in a local queue ............ unit/queue/lease-keeper; 24 keeps messages out of one
 *   3 visibility is absolute .................. unit/queue/lease-keeper
 *   4 twelve hours at most .................... unit/queue/lease-keeper
 *   5 a renewal that fails once ............... unit/queue/lease-keeper, here
 *   6 definitive renewal errors ............... unit/queue/sqs/batch-calls
 *   7 a batch that failed in part ............. unit/queue/sqs/batch-calls, unit/queue/lease-keeper
 *   8 blocked event loop, frozen process ...... unit/queue/lease-keeper; probe C8
 *   9 wall clock steps ........................ integration/worker/real-queue
 *  10 renewals all at once .................... unit/queue/lease-keeper
 *  11 stale handle on a standard queue ........ pitfalls-leases, integration/queue/conformance
 *  12 FIFO delete after expiry ................ pitfalls-leases
 *  13 delete fails after the work ............. here, integration/worker/real-queue
 *  14 at least once ........................... integration/worker/pitfalls-effects. No conditional write of an object: results are rows.
 *  15 redelivered to the same process ......... pitfalls-leases, unit/queue/lease-keeper
 *  16 an aborted long poll .................... integration/worker/real-queue
 *  17 a message after the stop ................ pitfalls-stopping, unit/queue/settler; probe C5
 *  18 one signal for everything ............... pitfalls-stopping
 *  19 renewals that end at the stop ........... pitfalls-stopping; probe C6
 *  20 an interruption burns an attempt ........ integration/worker/pitfalls-effects
 *  21 a failure as a hot loop ................. unit/worker/circuit-breaker, unit/failure/classify
 *  22 permanent errors wait for redrive ....... here, integration/worker/real-queue, unit/queue/sqs/dead-letter
 *  23 redrive loses the reason ................ integration/worker/real-queue; retention is a check of the preflight
 *  24 quota of messages in flight ............. pitfalls-polling. The count in flight is a metric of SQS itself.
 *  25 polls use up the connections ............ integration/worker/real-queue
 *  26 the poll loop ........................... pitfalls-polling
 *  27 renewals that fail ...................... pitfalls-leases
 *  28 a timeout that only rejects ............. pitfalls-leases; probe C1; integration/video/decode kills what hangs
 *  29 the test event of S3 .................... unit/queue/messages/parse-message
 *  30 form-encoded keys ....................... unit/queue/messages/parse-message
 *  31 records, SNS, EventBridge ............... unit/queue/messages/parse-message. No ordering by sequencer: what an object holds at
 *     its download is what is analysed, and its ETag names the job, so a late event makes no work.
 *  32 the object is gone ...................... unit/queue/messages/parse-message; integration/storage/download
 *  33 no JSON ................................. here, integration/worker/fuzz-messages
 *  34 a failure inside a FIFO group ........... here
 *  35 dead letters of a FIFO queue ............ integration/queue/queue-attributes
 *  36 batches ................................. unit/queue/sqs/batch-calls
 *  37 redrive ................................. integration/worker/pitfalls-effects. No command of ours: SQS moves the copies back as they are.
 *  38 signals and crashes ..................... integration/worker/daemon-process
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { next, aborted } from '../../harness/worker-events.ts';
import { createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test('pitfall 13: a failed delete is remembered, and the redelivery is deleted without work', async () => {
  let refused = 0;
  rig.queue.fault = ({ name }) => {
    if (name !== 'acknowledge' || refused === 6) return null;
    refused += 1;
    return { kind: 'failed', code: 'ServiceUnavailable', message: 'no' };
  };
  let runs = 0;
  const { worker, events } = rig.worker(async () => {
    runs += 1;
    return ACK;
  });
  rig.send('a');
  const remembered = next(events, 'message:remembered');
  const deleted = next(events, 'message:deleted');
  worker.start();
  await rig.clock.until(remembered);
  await rig.clock.until(deleted);
  expect([runs, refused, rig.queue.size]).toEqual([1, 6, 0]);
});

test('pitfall 22: a permanent failure is copied with its reason, then deleted', async () => {
  const failure = new Failure('NOT_A_VIDEO', 'not a video');
  const { worker, events } = rig.worker(async () => ({ kind: 'reject', failure }));
  const messageId = rig.send('a');
  const deleted = next(events, 'message:deleted');
  worker.start();
  await rig.clock.until(deleted);
  expect(rig.queue.deadLetters).toMatchObject([
    { message: { messageId }, reason: { failure, correlationId: messageId } },
  ]);
  const steps = rig.queue.calls
    .map(({ name }) => name)
    .filter((name) => name === 'deadLetter' || name === 'acknowledge');
  expect(steps).toEqual(['deadLetter', 'acknowledge']);
});

test('pitfall 22: a copy that cannot be sent at once is sent again under the lease, and the job is not run for it again', async () => {
  let refused = 0;
  rig.queue.fault = ({ name }) => {
    if (name !== 'deadLetter' || refused === 3) return null;
    refused += 1;
    return new Error('reset');
  };
  let runs = 0;
  const { worker, events } = rig.worker(async () => {
    runs += 1;
    return { kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') };
  });
  rig.send('a');
  const deleted = next(events, 'message:deleted');
  worker.start();
  await rig.clock.until(deleted);
  expect([runs, refused]).toEqual([1, 3]);
  expect(rig.queue.deadLetters.map(({ message }) => message.receiveCount)).toEqual([1]);
});

test('pitfall 22: while the copy cannot be sent at all the message stays, and comes back', async () => {
  rig.queue.fault = ({ name, at }) => (name === 'deadLetter' && at < 60_000 ? new Error('away') : null);
  const { worker, events } = rig.worker(async () => ({ kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') }));
  rig.send('a');
  const deleted = next(events, 'message:deleted');
  worker.start();
  await rig.clock.until(deleted);
  expect(rig.queue.deadLetters).toHaveLength(1);
});

test('pitfall 33: a message that is not JSON is dead-lettered without a run', async () => {
  let runs = 0;
  const { worker, events } = rig.worker(async () => {
    runs += 1;
    return ACK;
  });
  rig.queue.send('{nothing');
  const dead = next(events, 'message:dead-lettered');
  worker.start();
  expect((await rig.clock.until(dead)).code).toBe('MESSAGE_NOT_JSON');
  expect(runs).toBe(0);
});

test('pitfall 34: a group keeps its order, and none of it is received again, while its first fails and is tried again', async () => {
  rig = createWorkerRig({ isOrdered: true });
  const order: string[] = [];
  const { worker, events } = rig.worker(
    async ({ job }) => {
      order.push(job.key);
      if (job.key === '1' && order.length < 3) {
        return { kind: 'retry', afterSeconds: 5, failure: new Failure('SCENE_FAILED', 'x') };
      }
      return ACK;
    },
    { concurrency: 3 },
  );
  for (const key of ['1', '2', '3']) rig.send(key, 'g');
  let count = 0;
  const all = next(events, 'message:deleted', () => (count += 1) === 3);
  worker.start();
  await rig.clock.until(all);
  expect(order).toEqual(['1', '1', '1', '2', '3']);
  expect(rig.queue.mostReceives).toBe(1);
});

test('pitfall 34: after a message of a group that went back, the rest of the group goes back and is not run before it', async () => {
  rig = createWorkerRig({ isOrdered: true });
  const order: string[] = [];
  const { worker, events } = rig.worker(
    async ({ job, receiveCount }) => {
      order.push(job.key);
      if (job.key === '1' && receiveCount === 1) return { kind: 'abandon', why: 'shutdown' };
      return ACK;
    },
    { concurrency: 3 },
  );
  for (const key of ['1', '2', '3']) rig.send(key, 'g');
  let count = 0;
  const all = next(events, 'message:deleted', () => (count += 1) === 3);
  worker.start();
  await rig.clock.until(all);
  expect(order).toEqual(['1', '1', '2', '3']);
});

test('a system failure gives the message back, stops the worker and says why', async () => {
  const { worker } = rig.worker(async () => ({ kind: 'halt', failure: new Failure('GPU_LOST', 'gone') }));
  const id = rig.send('a');
  worker.start();
  expect(await rig.clock.until(worker.stopped)).toMatchObject({ givenBack: 1, failure: { code: 'GPU_LOST' } });
  expect(rig.queue.visible).toEqual([id]);
});

test('pitfall 5: a queue that refuses every renewal aborts the job before its lease ends', async () => {
  rig.queue.fault = ({ name }) => (name === 'extend' ? { kind: 'failed', code: 'Busy', message: 'later' } : null);
  let abortedAt = Infinity;
  const { worker, events } = rig.worker(async (_delivery, signal) => {
    await aborted(signal);
    abortedAt = rig.clock.now();
    return { kind: 'abandon', why: 'lease-lost' };
  });
  rig.send('a');
  const lost = next(events, 'lease:lost');
  worker.start();
  expect((await rig.clock.until(lost)).why).toMatch(/no renewal before its deadline/);
  await rig.clock.advance(0);
  expect(abortedAt).toBe(55_000);
});
