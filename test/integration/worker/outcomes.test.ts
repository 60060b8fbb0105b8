import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { Failure } from '../../../src/failure.ts';
import type { Disposition } from '../../../src/worker/disposition.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import { aborted, createRig, next, type Rig } from './rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
let rig: Rig;

beforeEach(async () => {
  rig = await createRig();
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
  await rig.send('a');
  const started = next(events, 'job:started');
  const settled = next(events, 'job:settled');
  worker.start();
  await started;
  const handle = rig.sqs.server.inspectQueue('videos')?.messages.inflight[0]?.receiptHandle;
  await rig.sqs.clients.control.send(new DeleteMessageCommand({ QueueUrl: rig.url, ReceiptHandle: handle }));
  expect((await settled).settled).toBe('lost');
  expect(statistics.summary()).toMatchObject({ started: 1, completed: 0, lostAfterDone: 1, leasesLost: 1 });
});

test('a system failure stops the worker also where its lease was lost meanwhile', async () => {
  const { worker, events } = rig.worker(async (_delivery, signal) => {
    await aborted(signal);
    return { kind: 'halt', failure: new Failure('GPU_LOST', 'gone') };
  });
  await rig.send('a');
  const started = next(events, 'job:started');
  const stopped = next(events, 'worker:state', ({ state }) => state === 'stopped');
  worker.start();
  await started;
  const handle = rig.sqs.server.inspectQueue('videos')?.messages.inflight[0]?.receiptHandle;
  await rig.sqs.clients.control.send(new DeleteMessageCommand({ QueueUrl: rig.url, ReceiptHandle: handle }));
  await stopped;
  expect(await worker.drain('again', 0)).toMatchObject({ failure: { code: 'GPU_LOST' } });
});

test('each form of end is counted: a message that is no job, one for nothing, a good one', async () => {
  const { worker, events } = rig.worker(async () => ACK, { concurrency: 3 });
  const statistics = new Statistics(events);
  await rig.sendBody('{nothing');
  await rig.sendBody('{"Service":"Amazon S3","Event":"s3:TestEvent"}');
  await rig.send('a');
  let deleted = 0;
  const all = next(events, 'message:deleted', () => (deleted += 1) === 3);
  worker.start();
  await all;
  expect(statistics.summary()).toMatchObject({
    started: 1,
    completed: 1,
    ignored: 1,
    failed: 1,
    byStage: { message: 1 },
  });
});

test('a circuit pauses the polling for the dependency that the failed step calls, and its success ends the pause', async () => {
  let away = true;
  const { worker, events } = rig.worker(
    async () =>
      away
        ? { kind: 'retry', afterSeconds: 0, failure: new Failure('NETWORK', 'x', { details: { stage: 'claim' } }) }
        : ACK,
    { settings: { breaker: { threshold: 2, firstPauseMs: 300, maxPauseMs: 300 } } },
  );
  await rig.send('a');
  const opened = next(events, 'circuit:open');
  const closed = next(events, 'circuit:closed');
  worker.start();
  expect(await opened).toEqual({ dependency: 'database', forMs: 300 });
  away = false;
  expect((await closed).dependency).toBe('database');
});

test('a drain leaves finished work hidden whose delete does not come through: given back, it would run again', async () => {
  const clients = rig.sqs.connect();
  clients.control.middlewareStack.add(
    (following, context) => async (args) => {
      if (context.commandName !== 'DeleteMessageBatchCommand') return await following(args);
      throw Object.assign(new Error('no'), { name: 'ServiceUnavailable' });
    },
    { step: 'initialize' },
  );
  const { worker, events } = rig.worker(async () => ACK, {
    options: { clients },
    settings: { visibilitySeconds: 600, unwindMs: 50 },
  });
  await rig.send('a');
  const returned = next(events, 'job:returned');
  const settled = next(events, 'job:settled');
  worker.start();
  await returned;
  expect(await worker.drain('test', 50)).toMatchObject({ givenBack: 0, stuck: 0 });
  expect((await settled).settled).toBe('remembered');
  const { messages } = rig.sqs.server.inspectQueue('videos')!;
  expect([messages.ready.length, messages.inflight.length]).toEqual([0, 1]);
});
