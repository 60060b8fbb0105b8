import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import {
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type Message,
  type MessageAttributeValue,
} from '@aws-sdk/client-sqs';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { createFaultProxy } from '../../harness/fault-proxy.ts';
import { startSqsProcess } from '../../harness/sqs-process.ts';
import { aborted, next } from '../../harness/worker-events.ts';
import { createRig, type Rig } from './rig.ts';

/* What only a real server, real sockets and real time can show; the rest is in unit/worker, on the queue in memory. */

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
let rig: Rig;

beforeEach(async () => {
  rig = await createRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

async function deadLetter(): Promise<Message | undefined> {
  const dead = await rig.sqs.clients.poll.send(
    new ReceiveMessageCommand({
      QueueUrl: rig.deadUrl,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    }),
  );
  return dead.Messages?.[0];
}

test('pitfall 9: a step of the wall clock, forth or back, neither loses a lease nor holds up its renewal', async () => {
  // The server in a process of its own: its clock must not step.
  await using server = await startSqsProcess({ queues: [{ name: 'videos', attributes: {} }] });
  const { clients } = server;
  const real = Date.now;
  try {
    const finish = Promise.withResolvers<void>();
    const url = server.queueUrl('videos');
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
  }
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

test.each<[string, string, string, Record<string, MessageAttributeValue>]>([
  ['body', 'MESSAGE_TOO_LARGE', `{${'ü'.repeat(524_250)}`, {}],
  ['attributes', 'MESSAGE_NOT_JSON', '{', { a: { DataType: 'String', StringValue: 'x'.repeat(1_048_500) } }],
])(
  'pitfall 22: a message whose %s is as large as SQS takes still goes with its reason, %s',
  async (_what, code, body, extra) => {
    const { worker, events } = rig.worker(async () => ACK);
    await rig.sqs.clients.control.send(
      new SendMessageCommand({ QueueUrl: rig.url, MessageBody: body, MessageAttributes: extra }),
    );
    const deleted = next(events, 'message:deleted');
    worker.start();
    await deleted;
    const copy = await deadLetter();
    expect(copy?.MessageAttributes?.['failure_code']?.StringValue).toBe(code);
    expect(body.startsWith(copy?.Body ?? 'no copy')).toBe(true);
    const words = `shortened to what SQS takes; the body had ${Buffer.byteLength(body)} bytes`;
    expect(copy?.MessageAttributes?.['failure_reason']?.StringValue).toContain(words);
  },
);

test('a message as large as its queue takes goes with its reason where that for dead letters takes no more', async () => {
  const limit = { MaximumMessageSize: '262144' };
  await rig.sqs.clients.control.send(new SetQueueAttributesCommand({ QueueUrl: rig.deadUrl, Attributes: limit }));
  const { worker, events } = rig.worker(async () => ACK);
  const body = `{${'ü'.repeat(131_071)}}`;
  await rig.sqs.clients.control.send(new SendMessageCommand({ QueueUrl: rig.url, MessageBody: body }));
  const deleted = next(events, 'message:deleted');
  worker.start();
  await deleted;
  const copy = await deadLetter();
  expect(copy?.MessageAttributes?.['failure_code']?.StringValue).toBe('MESSAGE_NOT_JSON');
  expect(copy?.MessageAttributes?.['failure_reason']?.StringValue).toContain('the body had 262144 bytes');
  expect(body.startsWith(copy?.Body ?? 'no copy')).toBe(true);
  expect(copy?.Body?.length).toBeGreaterThan(130_000);
});

test('pitfall 23: the dead-letter copy says why, and is a message of its own whose age begins with it', async () => {
  const { worker, events } = rig.worker(async () => ({
    kind: 'reject',
    failure: new Failure('VIDEO_TOO_LONG', 'the video is 9,000 s long'),
  }));
  const id = await rig.send('a');
  const original = rig.sqs.server.inspectQueue('videos')?.messages.ready[0];
  const deleted = next(events, 'message:deleted');
  worker.start();
  await deleted;
  const copy = await deadLetter();
  expect(original?.messageId).toBe(id);
  expect(copy?.MessageId).not.toBe(id);
  expect(copy?.MessageAttributes?.['failure_reason']?.StringValue).toBe('the video is 9,000 s long');
  // Moved by redrive it would keep its receive count and, on a standard queue, the age of its first sending.
  expect(copy?.Attributes?.ApproximateReceiveCount).toBe('1');
});

test('pitfall 25: as many open polls as there are connections for them leave renewals and deletes theirs', async () => {
  const clients = rig.sqs.connect();
  let answered = 0;
  const stop = new AbortController();
  const polls = Array.from({ length: 40 }, () =>
    clients.poll
      .send(new ReceiveMessageCommand({ QueueUrl: rig.url, WaitTimeSeconds: 20 }), { abortSignal: stop.signal })
      .then(
        () => (answered += 1),
        () => undefined,
      ),
  );
  const url = await clients.control.send(new GetQueueUrlCommand({ QueueName: 'videos' }));
  expect(url.QueueUrl).toBe(rig.url);
  expect(answered).toBe(0);
  stop.abort();
  await Promise.all(polls);
});

test('pitfall 16: the long poll that is open at the stop is never aborted, so what SQS hands to it is not lost', async () => {
  const clients = rig.sqs.connect();
  const opened = Promise.withResolvers<void>();
  const polls: string[] = [];
  clients.poll.middlewareStack.add(
    (following) => async (args) => {
      opened.resolve();
      return await following(args).then(
        (answer) => {
          polls.push('answered');
          return answer;
        },
        (error: unknown) => {
          polls.push('failed');
          throw error;
        },
      );
    },
    { step: 'initialize' },
  );
  const { worker, events } = rig.worker(async () => ACK, {
    settings: { waitSeconds: 10, visibilitySeconds: 600 },
    clients,
  });
  worker.start();
  await opened.promise;
  const brought = next(events, 'poll:answered', ({ messages }) => messages === 1);
  const drained = worker.drain('test', 0);
  await rig.send('late');
  await brought;
  expect(await drained).toMatchObject({ givenBack: 1, stuck: 0 });
  expect(polls).toEqual(['answered']);
  // It is there for the next worker at once, not after ten minutes.
  const again = await rig.sqs.clients.poll.send(new ReceiveMessageCommand({ QueueUrl: rig.url }));
  expect(again.Messages).toHaveLength(1);
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

test('pitfall 34: a FIFO queue goes on in order after a message of a group that failed, and none is received again', async () => {
  const url = rig.sqs.server.createQueue('v.fifo', { attributes: { FifoQueue: 'true' } }).queueUrl;
  const order: string[] = [];
  const receives: number[] = [];
  const { worker, events } = rig.worker(
    async ({ job, receiveCount }) => {
      order.push(job.key);
      receives.push(receiveCount);
      if (order.length === 1) return { kind: 'retry', afterSeconds: 1, failure: new Failure('SCENE_FAILED', 'x') };
      return ACK;
    },
    { concurrency: 3, url },
  );
  for (const key of ['1', '2', '3']) {
    const MessageBody = JSON.stringify({ bucket: 'b', key });
    const group = { MessageGroupId: 'g', MessageDeduplicationId: key };
    await rig.sqs.clients.control.send(new SendMessageCommand({ QueueUrl: url, MessageBody, ...group }));
  }
  let count = 0;
  const all = next(events, 'message:deleted', () => (count += 1) === 3);
  worker.start();
  await all;
  expect(order).toEqual(['1', '1', '2', '3']);
  // The second run of the first counts as one more, though the queue has handed it out once.
  expect(receives).toEqual([1, 2, 1, 1]);
});

test('the last receive of a redrive policy leaves its reason by the worker, and the queue moves nothing', async () => {
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead',
    maxReceiveCount: '2',
  });
  const url = rig.sqs.server.createQueue('short', { attributes: { RedrivePolicy } }).queueUrl;
  const { worker, events } = rig.worker(
    // As a job function ends it: it knows which receive is the last.
    async ({ isLastReceive }) => {
      const failure = new Failure('SCENE_FAILED', 'the model said nothing');
      return isLastReceive ? { kind: 'reject', failure } : { kind: 'retry', afterSeconds: 0, failure };
    },
    { url, maxReceives: 2 },
  );
  await rig.sqs.clients.control.send(
    new SendMessageCommand({ QueueUrl: url, MessageBody: '{"bucket":"b","key":"k"}' }),
  );
  const ended = next(events, 'message:deleted');
  worker.start();
  await ended;
  const copies = rig.sqs.server.inspectQueue('dead')?.messages.ready ?? [];
  expect(copies.map(({ messageAttributes }) => messageAttributes['failure_code']?.StringValue)).toEqual([
    'SCENE_FAILED',
  ]);
});

test('a queue that says OverLimit is asked again after pauses, and what is in work goes on', async () => {
  const proxy = await createFaultProxy('127.0.0.1', rig.sqs.server.port);
  try {
    const finish = Promise.withResolvers<void>();
    const { worker, events } = rig.worker(
      async ({ job }) => {
        if (job.key === 'long') await finish.promise;
        return ACK;
      },
      { concurrency: 2, clients: rig.sqs.connect(`http://127.0.0.1:${proxy.port}`) },
    );
    await rig.send('long');
    const started = next(events, 'job:started');
    worker.start();
    await started;
    const overLimit = JSON.stringify({ __type: 'com.amazonaws.sqs#OverLimit', message: 'too many are in flight' });
    proxy.answer((request) => (/AmazonSQS\.ReceiveMessage\r/i.test(request) ? { status: 403, body: overLimit } : null));
    let failures = 0;
    await next(events, 'poll:failed', () => (failures += 1) === 2);
    await next(events, 'lease:renewed');
    proxy.heal();
    const other = next(events, 'message:deleted');
    await rig.send('other');
    await other;
    const last = next(events, 'message:deleted');
    finish.resolve();
    await last;
    expect(worker.state).toBe('polling');
  } finally {
    await proxy.close();
  }
});

test('a renewal, a delete or a giving back that fails for some of a batch is tried again for those alone', async () => {
  const proxy = await createFaultProxy('127.0.0.1', rig.sqs.server.port);
  try {
    const refused: string[] = [];
    const { worker, events } = rig.worker(async () => ACK, {
      concurrency: 5,
      clients: rig.sqs.connect(`http://127.0.0.1:${proxy.port}`),
    });
    proxy.answer((request) => {
      const [, action] = /AmazonSQS\.(\w+Batch)\r/i.exec(request) ?? [];
      if (action === undefined || refused.filter((name) => name === action).length >= 2) return null;
      refused.push(action);
      const { Entries } = JSON.parse(request.slice(request.indexOf('\r\n\r\n') + 4)) as {
        Entries: readonly { Id: string }[];
      };
      const Failed = Entries.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false, Message: 'again' }));
      return { status: 200, body: JSON.stringify({ Successful: [], Failed }) };
    });
    for (let message = 0; message < 5; message += 1) await rig.send(`object-${message}`);
    let count = 0;
    const all = next(events, 'message:deleted', () => (count += 1) === 5);
    worker.start();
    await all;
    // On a slow machine a renewal may have met it as well.
    expect(refused.filter((action) => action === 'DeleteMessageBatch')).toHaveLength(2);
    expect(rig.sqs.server.inspectQueue('videos')?.messages).toMatchObject({ ready: [], inflight: [] });
  } finally {
    await proxy.close();
  }
});
