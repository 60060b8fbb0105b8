import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { Failure } from '../../../src/failure.ts';
import type { Disposition } from '../../../src/worker/disposition.ts';
import { createFaultProxy } from '../../support/fault-proxy.ts';
import { aborted, createRig, next, type Rig } from './rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
let rig: Rig;

beforeEach(async () => {
  rig = await createRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test('pitfall 13: a failed delete is remembered, and the redelivery is deleted without work', async () => {
  const clients = rig.sqs.connect();
  let refused = 0;
  clients.control.middlewareStack.add(
    (following, context) => async (args) => {
      if (context.commandName === 'DeleteMessageBatchCommand' && refused < 6) {
        refused += 1;
        throw Object.assign(new Error('no'), { name: 'ServiceUnavailable' });
      }
      return await following(args);
    },
    { step: 'initialize' },
  );
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      runs += 1;
      return ACK;
    },
    { options: { clients } },
  );
  await rig.send('a');
  const remembered = next(events, 'message:remembered');
  const deleted = next(events, 'message:deleted');
  worker.start();
  await remembered;
  await deleted;
  expect(runs).toBe(1);
});

test('pitfall 22: a permanent failure is copied with its reason, then deleted', async () => {
  const { worker, events } = rig.worker(async () => ({
    kind: 'reject',
    failure: new Failure('NOT_A_VIDEO', 'not a video'),
  }));
  const id = await rig.send('a');
  const deleted = next(events, 'message:deleted');
  worker.start();
  await deleted;
  const dead = await rig.sqs.clients.poll.send(
    new ReceiveMessageCommand({ QueueUrl: rig.deadUrl, MessageAttributeNames: ['All'] }),
  );
  const attributes = dead.Messages?.[0]?.MessageAttributes ?? {};
  expect(attributes['failure_code']?.StringValue).toBe('NOT_A_VIDEO');
  expect(attributes['failure_class']?.StringValue).toBe('permanent');
  expect(attributes['original_message_id']?.StringValue).toBe(id);
});

test('pitfall 33: a message that is not JSON is dead-lettered without a run', async () => {
  let runs = 0;
  const { worker, events } = rig.worker(async () => {
    runs += 1;
    return ACK;
  });
  await rig.sendBody('{nothing');
  const dead = next(events, 'message:dead-lettered');
  worker.start();
  expect((await dead).code).toBe('MESSAGE_NOT_JSON');
  expect(runs).toBe(0);
});

test('pitfall 34: after a message of a FIFO group that was not settled, the rest of the group is not run before it', async () => {
  const url = rig.sqs.server.createQueue('v.fifo', { attributes: { FifoQueue: 'true' } }).queueUrl;
  const order: string[] = [];
  const { worker, events } = rig.worker(
    async ({ job, receiveCount }) => {
      order.push(job.key);
      if (job.key === '1' && receiveCount === 1) {
        return { kind: 'retry', afterSeconds: 0, failure: new Failure('NETWORK', 'x') };
      }
      return ACK;
    },
    { concurrency: 3, url },
  );
  for (const key of ['1', '2', '3']) await rig.sendBody(JSON.stringify({ bucket: 'b', key }), url, 'g');
  let count = 0;
  const all = next(events, 'message:deleted', () => (count += 1) === 3);
  worker.start();
  await all;
  expect(order).toEqual(['1', '1', '2', '3']);
});

test('two messages about one object do not run at once here', async () => {
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
  await rig.send('same');
  await rig.send('same');
  const back = next(events, 'message:given-back');
  worker.start();
  expect((await back).why).toMatch(/same object/);
  expect(runs).toBe(1);
  finish.resolve();
});

test('a system failure gives the message back, stops the worker and says why', async () => {
  const { worker, events } = rig.worker(async () => ({ kind: 'halt', failure: new Failure('GPU_LOST', 'gone') }));
  await rig.send('a');
  const stopped = next(events, 'worker:state', ({ state }) => state === 'stopped');
  worker.start();
  await stopped;
  expect(await worker.drain('again', 0)).toMatchObject({ givenBack: 1, failure: { code: 'GPU_LOST' } });
});

test('pitfall 5: a queue that answers nothing past the lease aborts the job before its lease ends', async () => {
  const proxy = await createFaultProxy('127.0.0.1', rig.sqs.server.port);
  try {
    const { worker, events } = rig.worker(
      async (_delivery, signal) => {
        await aborted(signal);
        return { kind: 'abandon', why: 'lease-lost' };
      },
      { options: { clients: rig.sqs.connect(`http://127.0.0.1:${proxy.port}`) } },
    );
    await rig.send('a');
    const started = next(events, 'job:started');
    const lost = next(events, 'lease:lost');
    worker.start();
    await started;
    proxy.blackhole();
    expect((await lost).why).toMatch(/no renewal before its deadline/);
    proxy.heal();
  } finally {
    await proxy.close();
  }
});
