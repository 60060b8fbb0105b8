/*
 * Where each known pitfall of an SQS worker is tested; the tests carry its number in their names.
 *
 *   1 lease measured from the answer .......... unit/queue/lease-keeper
 *   2 lease aging in a local queue ............ unit/queue/lease-keeper; 24 keeps messages out of one
 *   3 visibility is absolute .................. unit/queue/lease-keeper
 *   4 twelve hours at most .................... unit/queue/lease-keeper
 *   5 a renewal that fails once ............... unit/queue/lease-keeper, here
 *   6 definitive renewal errors ............... unit/queue/change-visibility
 *   7 a batch that failed in part ............. unit/queue/change-visibility, unit/queue/lease-keeper
 *   8 blocked event loop, frozen process ...... unit/queue/lease-keeper; probe C8
 *   9 wall clock steps ........................ pitfalls-leases
 *  10 renewals all at once .................... unit/queue/lease-keeper
 *  11 stale handle on a standard queue ........ pitfalls-leases
 *  12 FIFO delete after expiry ................ pitfalls-leases
 *  13 delete fails after the work ............. here
 *  14 at least once ........................... pitfalls-effects. No conditional write of an object: results are rows.
 *  15 redelivered to the same process ......... pitfalls-leases, unit/queue/lease-keeper
 *  16 an aborted long poll .................... pitfalls-stopping
 *  17 a message after the stop ................ pitfalls-stopping, unit/queue/settle; probe C5
 *  18 one signal for everything ............... pitfalls-stopping
 *  19 renewals that end at the stop ........... pitfalls-stopping; probe C6
 *  20 an interruption burns an attempt ........ pitfalls-effects
 *  21 a failure as a hot loop ................. unit/worker/circuit-breaker, unit/failure/classify
 *  22 permanent errors wait for redrive ....... here, unit/queue/dead-letter
 *  23 redrive loses the reason ................ pitfalls-polling; retention is a check of the preflight
 *  24 quota of messages in flight ............. pitfalls-polling. The count in flight is a metric of SQS itself.
 *  25 polls use up the connections ............ pitfalls-polling
 *  26 the poll loop ........................... pitfalls-polling
 *  27 renewals that fail ...................... pitfalls-leases
 *  28 a timeout that only rejects ............. pitfalls-leases; probe C1; integration/video/decode kills what hangs
 *  29 the test event of S3 .................... unit/queue/parse-message
 *  30 form-encoded keys ....................... unit/queue/parse-message
 *  31 records, SNS, EventBridge ............... unit/queue/parse-message. No ordering by sequencer: what an object holds at
 *     its download is what is analysed, and its ETag names the job, so a late event makes no work.
 *  32 the object is gone ...................... unit/queue/parse-message; integration/video/download
 *  33 no JSON ................................. here, fuzz-messages
 *  34 a failure inside a FIFO group ........... here
 *  35 dead letters of a FIFO queue ............ queue-attributes
 *  36 batches ................................. unit/queue/change-visibility
 *  37 redrive ................................. pitfalls-effects. No command of ours: SQS moves the copies back as they are.
 *  38 signals and crashes ..................... daemon-process
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ReceiveMessageCommand, SendMessageCommand, type MessageAttributeValue } from '@aws-sdk/client-sqs';
import { Failure } from '../../../src/failure/failure.ts';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { createFaultProxy } from '../../harness/fault-proxy.ts';
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
    { clients },
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

test.each<[string, string, Record<string, MessageAttributeValue>]>([
  ['body', `{${'ü'.repeat(524_250)}`, {}],
  ['attributes', '{', { a: { DataType: 'String', StringValue: 'x'.repeat(1_048_500) } }],
])('pitfall 22: a message whose %s is as large as SQS takes still goes with its reason', async (_what, body, extra) => {
  const { worker, events } = rig.worker(async () => ACK);
  await rig.sqs.clients.control.send(
    new SendMessageCommand({ QueueUrl: rig.url, MessageBody: body, MessageAttributes: extra }),
  );
  const deleted = next(events, 'message:deleted');
  worker.start();
  await deleted;
  const dead = await rig.sqs.clients.poll.send(
    new ReceiveMessageCommand({ QueueUrl: rig.deadUrl, MessageAttributeNames: ['All'] }),
  );
  const [copy] = dead.Messages ?? [];
  expect(copy?.MessageAttributes?.['failure_code']?.StringValue).toMatch(/^MESSAGE_(TOO_LARGE|NOT_JSON)$/);
  expect(body.startsWith(copy?.Body ?? 'no copy')).toBe(true);
  const words = `shortened to what SQS takes; the body had ${Buffer.byteLength(body)} bytes`;
  expect(copy?.MessageAttributes?.['failure_reason']?.StringValue).toContain(words);
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
      { clients: rig.sqs.connect(`http://127.0.0.1:${proxy.port}`) },
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
