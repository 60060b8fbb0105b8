import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { Failure } from '../../../src/failure/failure.ts';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { createSqsQueue } from '../../../src/queue/sqs/sqs-queue.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import { aborted, next } from '../../harness/worker-events.ts';
import { createRig, type Rig } from './rig.ts';

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
  // Told after the delete.
  const settled = next(events, 'job:settled');
  worker.start();
  await Promise.all([all, settled]);
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
    clients,
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

test('a system failure hands over also the message that an own open poll catches again when it is given back', async () => {
  const { worker, events } = rig.worker(
    async () => ({ kind: 'halt', failure: new Failure('GPU_LOST', 'gone') }),
    // The second slot keeps a poll open for long.
    { concurrency: 2, settings: { waitSeconds: 20, visibilitySeconds: 600 } },
  );
  const polled = next(events, 'poll:answered');
  await rig.send('a');
  worker.start();
  await polled;
  expect(await worker.stopped).toMatchObject({ failure: { code: 'GPU_LOST' }, stuck: 0 });
  expect(rig.sqs.server.inspectQueue('videos')?.messages.ready).toHaveLength(1);
});

test('queues get their share of a single slot by weight while all of them have messages', async () => {
  const share = { high: 6, normal: 3, low: 1 };
  const clients = rig.sqs.connect();
  const queues = Object.entries(share).map(([name, weight]) => {
    const { queueUrl: url } = rig.sqs.server.createQueue(name);
    return { name, weight, url, messages: createSqsQueue(clients, { url, deadLetterUrl: null }) };
  });
  for (const { url, name, weight } of queues) {
    // One more than its share, so that none runs dry before the ten turns are over.
    for (let index = 0; index <= weight; index += 1) {
      await rig.sendBody(JSON.stringify({ bucket: 'b', key: `${name}-${index}` }), url);
    }
  }
  const started: string[] = [];
  const { worker, events } = rig.worker(async () => ACK, { options: { queues } });
  const ten = next(events, 'job:started', ({ key }) => started.push(key.split('-')[0] ?? '') === 10);
  worker.start();
  await ten;
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
  await rig.send('running');
  const started = next(events, 'job:started');
  worker.start();
  await started;
  worker.pause();
  // Two renewals take longer than the one second of a poll that was open.
  await next(events, 'lease:renewed');
  await next(events, 'lease:renewed');
  await rig.send('later');
  await next(events, 'lease:renewed');
  expect(rig.sqs.server.inspectQueue('videos')?.messages.ready).toHaveLength(1);
  expect([worker.state, worker.inFlight]).toEqual(['paused', 1]);
  const later = next(events, 'job:started', ({ key }) => key === 'later');
  worker.resume();
  await later;
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
  await rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await started;
  const slow = worker.drain('rebalance', 3_600_000, 'host-interruption');
  const later = worker.drain('a stop signal', 7_200_000);
  const soon = worker.drain('spot-interruption', 20, 'host-interruption');
  expect(await slow).toMatchObject({ reason: 'rebalance', givenBack: 1, stuck: 0 });
  expect([await later, await soon]).toEqual([await slow, await slow]);
});
