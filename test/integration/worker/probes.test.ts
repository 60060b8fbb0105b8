import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { Interruption } from '../../../src/failure.ts';
import type { Disposition } from '../../../src/worker/disposition.ts';
import { aborted, createRig, next, type Rig } from './rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
let rig: Rig;

beforeEach(async () => {
  rig = await createRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

function left(url: string): number {
  const queue = rig.sqs.server.inspectQueue(url.split('/').at(-1) ?? '');
  if (queue === undefined) return -1;
  return queue.messages.ready.length + queue.messages.delayed.length + queue.messages.inflight.length;
}

test('C1: a job over its deadline is aborted, ends once, and is never started twice at once', async () => {
  let running = 0;
  let most = 0;
  let reason: unknown;
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      running += 1;
      most = Math.max(most, running);
      reason = await aborted(signal);
      running -= 1;
      throw reason;
    },
    { concurrency: 3, settings: { maxProcessingSeconds: 3 } },
  );
  await rig.send('a');
  const dead = next(events, 'message:dead-lettered');
  const deleted = next(events, 'message:deleted');
  worker.start();
  expect((await dead).code).toBe('JOB_DEADLINE');
  await deleted;
  expect(most).toBe(1);
  expect(reason).toBeInstanceOf(Interruption);
  expect(left(rig.url)).toBe(0);
  expect(left(rig.deadUrl)).toBe(1);
});

test('C2: a message that somebody deletes under a job aborts it, and no success is reported', async () => {
  const deleted: string[] = [];
  const { worker, events } = rig.worker(async (_delivery, signal) => {
    await aborted(signal);
    return ACK;
  });
  events.on('message:deleted', ({ messageId }) => deleted.push(messageId));
  await rig.send('a');
  const started = next(events, 'job:started');
  const lost = next(events, 'lease:lost');
  const returned = next(events, 'job:returned');
  worker.start();
  await started;
  const handle = rig.sqs.server.inspectQueue('videos')?.messages.inflight[0]?.receiptHandle;
  await rig.sqs.clients.control.send(new DeleteMessageCommand({ QueueUrl: rig.url, ReceiptHandle: handle }));
  await lost;
  await returned;
  const report = await worker.drain('test', 1_000);
  expect(deleted).toEqual([]);
  expect(report.finished).toBe(0);
});

test('C3: one slow job never holds up the fast ones', async () => {
  const finishSlow = Promise.withResolvers<void>();
  const { worker, events } = rig.worker(
    async ({ job }) => {
      if (job.key === 'slow') await finishSlow.promise;
      return ACK;
    },
    { concurrency: 2 },
  );
  await rig.send('slow');
  for (let index = 0; index < 5; index += 1) await rig.send(`fast-${index}`);
  let fast = 0;
  const allFast = next(events, 'message:deleted', () => (fast += 1) === 5);
  worker.start();
  await allFast;
  expect(left(rig.url)).toBe(1);
  finishSlow.resolve();
});

test('C4: drain resolves only when the running job has ended and is deleted', async () => {
  const finish = Promise.withResolvers<void>();
  let ended = false;
  const { worker, events } = rig.worker(async () => {
    await finish.promise;
    ended = true;
    return ACK;
  });
  await rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await started;
  const drained = worker.drain('test', 30_000);
  finish.resolve();
  const report = await drained;
  expect(ended).toBe(true);
  expect(report).toMatchObject({ finished: 1, givenBack: 0, stuck: 0 });
  expect(worker.state).toBe('stopped');
  expect(left(rig.url)).toBe(0);
});

test('C5: a message that the open poll brings after the drain began is given back and never started', async () => {
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      runs += 1;
      return ACK;
    },
    { settings: { waitSeconds: 5, visibilitySeconds: 600 } },
  );
  worker.start();
  const drained = worker.drain('test', 1_000);
  const answered = next(events, 'poll:answered', ({ messages }) => messages === 1);
  await rig.send('late');
  await answered;
  expect((await drained).givenBack).toBe(1);
  expect(runs).toBe(0);
  const again = await rig.sqs.clients.poll.send(new ReceiveMessageCommand({ QueueUrl: rig.url }));
  expect(again.Messages).toHaveLength(1);
});

test('C6: work that finishes during the drain is deleted, so it never runs again', async () => {
  const finish = Promise.withResolvers<void>();
  const { worker, events } = rig.worker(async () => {
    await finish.promise;
    return ACK;
  });
  await rig.send('a');
  const started = next(events, 'job:started');
  // Proof that renewals go on while it drains (pitfall 19): the lease of 2 s outlives the job.
  worker.start();
  await started;
  const drained = worker.drain('test', 30_000);
  await next(events, 'lease:renewed');
  await next(events, 'lease:renewed');
  finish.resolve();
  await drained;
  expect(left(rig.url)).toBe(0);
});

test('C7: a job that outlives the drain deadline is aborted and its message visible at once', async () => {
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      const reason = await aborted(signal);
      return { kind: 'abandon', why: reason instanceof Interruption ? reason.kind : 'shutdown' };
    },
    { settings: { visibilitySeconds: 600 } },
  );
  await rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await started;
  expect(await worker.drain('test', 10)).toMatchObject({ givenBack: 1, stuck: 0 });
  const again = await rig.sqs.clients.poll.send(new ReceiveMessageCommand({ QueueUrl: rig.url }));
  expect(again.Messages).toHaveLength(1);
});

test('C8: after a blocked event loop the fence asks SQS and finds that the message is gone', async () => {
  let fenced: unknown;
  const { worker, events } = rig.worker(async (delivery) => {
    // Blocks this thread past the lease of 2 s; the competitor's receive comes right after it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
    const rival = await rig.sqs.clients.poll.send(
      new ReceiveMessageCommand({ QueueUrl: rig.url, VisibilityTimeout: 60, WaitTimeSeconds: 5 }),
    );
    expect(rival.Messages).toHaveLength(1);
    try {
      await delivery.confirmLease();
    } catch (error) {
      fenced = error;
    }
    return ACK;
  });
  let deleted = 0;
  events.on('message:deleted', () => (deleted += 1));
  await rig.send('a');
  const returned = next(events, 'job:returned');
  worker.start();
  await returned;
  await worker.drain('test', 1_000);
  expect(fenced).toBeInstanceOf(Interruption);
  expect(deleted).toBe(0);
});
