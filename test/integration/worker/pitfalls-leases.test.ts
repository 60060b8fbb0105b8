import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import {
  ChangeMessageVisibilityCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { startChild } from '../../../src/local/child-process.ts';
import type { FauxqsReady } from '../../../src/local/fauxqs-process.ts';
import { createSqsClients } from '../../../src/queue/sqs/sqs-client.ts';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { TEST_CREDENTIALS } from '../../harness/fauxqs-server.ts';
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

/** Sees each command of a client before it is sent; may throw, or answer in the server's place. */
function intercept(client: SQSClient, see: (command: string) => object | null): void {
  client.middlewareStack.add(
    (following, context) => async (args) => {
      const output = see(String(context['commandName']));
      return output === null ? await following(args) : { output: { $metadata: {}, ...output } as never, response: {} };
    },
    { step: 'initialize' },
  );
}

test('pitfall 9: a step of the wall clock, forth or back, neither loses a lease nor holds up its renewal', async () => {
  // The server in a process of its own: its clock must not step.
  const server = await startChild<FauxqsReady>('fauxqs-process', {
    port: 0,
    region: 'us-east-1',
    dataDir: null,
    queues: [{ name: 'videos', attributes: {} }],
    buckets: [],
  });
  const endpoint = `http://127.0.0.1:${server.ready.port}`;
  const clients = createSqsClients({ region: 'us-east-1', endpoint, credentials: TEST_CREDENTIALS });
  const real = Date.now;
  try {
    const finish = Promise.withResolvers<void>();
    const url = `${endpoint}/000000000000/videos`;
    const { worker, events } = rig.worker(
      async () => {
        await finish.promise;
        return ACK;
      },
      { url, clients },
    );
    await clients.control.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify({ bucket: 'b', key: 'a' }) }),
    );
    const lost: string[] = [];
    events.on('lease:lost', ({ why }) => lost.push(why));
    events.on('lease:gap', ({ lateMs }) => lost.push(`a gap of ${lateMs} ms`));
    const started = next(events, 'job:started');
    worker.start();
    await started;
    for (const step of [86_400_000, -86_400_000]) {
      jest.spyOn(Date, 'now').mockImplementation(() => real() + step);
      await next(events, 'lease:renewed');
      await next(events, 'lease:renewed');
    }
    const deleted = next(events, 'message:deleted');
    finish.resolve();
    await deleted;
    expect(lost).toEqual([]);
    await worker.drain('end', 0);
  } finally {
    jest.restoreAllMocks();
    clients[Symbol.dispose]();
    await server.close();
  }
});

test('pitfall 11: an old handle deletes nothing on a standard queue, so without a live lease no delete is tried', async () => {
  const clients = rig.sqs.connect();
  let deletes = 0;
  intercept(clients.control, (command) => {
    if (command === 'DeleteMessageBatchCommand') deletes += 1;
    return null;
  });
  let rival: string | undefined;
  const { worker, events } = rig.worker(
    async () => {
      // Blocks this thread past the lease of 2 s; a competitor takes the message.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
      const taken = await rig.sqs.clients.poll.send(
        new ReceiveMessageCommand({ QueueUrl: rig.url, VisibilityTimeout: 60, WaitTimeSeconds: 5 }),
      );
      rival = taken.Messages?.[0]?.ReceiptHandle;
      return ACK;
    },
    { clients },
  );
  const deleted: string[] = [];
  events.on('message:deleted', ({ messageId }) => deleted.push(messageId));
  await rig.send('a');
  const lost = next(events, 'lease:lost');
  worker.start();
  await lost;
  const report = await worker.drain('end', 5_000);
  expect(rival).toBeDefined();
  expect([deletes, deleted, report.finished]).toEqual([0, [], 0]);
  // The competitor still holds it: nobody has deleted it or taken it away.
  expect(rig.sqs.server.inspectQueue('videos')?.messages.inflight.map((entry) => entry.receiptHandle)).toEqual([rival]);
});

test('pitfall 12: a FIFO delete that is refused as expired is no success, and the redelivery is deleted without work', async () => {
  const url = rig.sqs.server.createQueue('v.fifo', { attributes: { FifoQueue: 'true' } }).queueUrl;
  const clients = rig.sqs.connect();
  let refusals = 0;
  intercept(clients.control, (command) => {
    if (command !== 'DeleteMessageBatchCommand' || refusals > 0) return null;
    refusals += 1;
    const Message = 'Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.';
    return { Successful: [], Failed: [{ Id: '0', Code: 'InvalidParameterValue', SenderFault: true, Message }] };
  });
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      runs += 1;
      return ACK;
    },
    { url, clients },
  );
  const order: string[] = [];
  events.on('message:remembered', () => order.push('remembered'));
  const deleted = next(events, 'message:deleted');
  events.on('message:deleted', () => order.push('deleted'));
  await rig.sendBody(JSON.stringify({ bucket: 'b', key: 'a' }), url, 'g');
  worker.start();
  await deleted;
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
    { concurrency: 2, settings: { visibilitySeconds: 30 } },
  );
  await rig.send('a');
  const started = next(events, 'job:started');
  worker.start();
  await started;
  const handle = rig.sqs.server.inspectQueue('videos')?.messages.inflight[0]?.receiptHandle;
  const again = next(events, 'message:redelivered');
  await rig.sqs.clients.control.send(
    new ChangeMessageVisibilityCommand({ QueueUrl: rig.url, ReceiptHandle: handle, VisibilityTimeout: 0 }),
  );
  await again;
  const deleted = next(events, 'message:deleted');
  finish.resolve();
  await deleted;
  expect(runs).toBe(1);
  const { messages } = rig.sqs.server.inspectQueue('videos') ?? {};
  expect([messages?.ready, messages?.delayed, messages?.inflight]).toEqual([[], [], []]);
});

test('pitfall 27: while a renewal fails no message is taken, and when it succeeds again the next one is', async () => {
  const clients = rig.sqs.connect();
  let broken = true;
  let refusals = 0;
  const enough = Promise.withResolvers<void>();
  intercept(clients.control, (command) => {
    if (command !== 'ChangeMessageVisibilityBatchCommand' || !broken) return null;
    refusals += 1;
    if (refusals === 4) enough.resolve();
    throw Object.assign(new Error('slow down'), { name: 'RequestThrottled' });
  });
  const firstRefusal = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const started: string[] = [];
  const { worker, events } = rig.worker(
    async ({ job }) => {
      if (job.key === 'a') await finish.promise;
      return ACK;
    },
    { concurrency: 2, settings: { visibilitySeconds: 12 }, clients },
  );
  events.on('job:started', ({ key }) => started.push(key));
  events.on('poll:answered', () => {
    if (!worker.renewalsHealthy) firstRefusal.resolve();
  });
  await rig.send('a');
  worker.start();
  // The poll that was open when the renewal failed has ended: from here on none may be opened.
  await firstRefusal.promise;
  await rig.send('b');
  await enough.promise;
  expect(started).toEqual(['a']);
  const next2 = next(events, 'job:started', ({ key }) => key === 'b');
  broken = false;
  await next2;
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
  await rig.send('slow');
  worker.start();
  await overdue.promise;
  await rig.send('fast');
  // Time enough for a poll, had a slot been free: the lease of the overdue job is renewed twice meanwhile.
  await next(events, 'lease:renewed');
  await next(events, 'lease:renewed');
  expect(order).toEqual(['slow begins']);
  const done = next(events, 'message:deleted', () => order.at(-1) === 'fast begins');
  release.resolve();
  await done;
  expect(order).toEqual(['slow begins', 'slow ends', 'fast begins']);
});
