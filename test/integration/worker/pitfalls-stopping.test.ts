import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import type { Disposition } from '../../../src/failure/disposition.ts';
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

test('pitfall 17: what arrives after the stop is never started, and a FIFO group goes back in its order', async () => {
  const url = rig.sqs.server.createQueue('v.fifo', { attributes: { FifoQueue: 'true' } }).queueUrl;
  let runs = 0;
  const { worker, events } = rig.worker(
    async () => {
      runs += 1;
      return ACK;
    },
    { url, concurrency: 3, settings: { waitSeconds: 10, visibilitySeconds: 600 } },
  );
  worker.start();
  const brought = next(events, 'poll:answered', ({ messages }) => messages > 0);
  const drained = worker.drain('test', 1_000);
  for (const key of ['1', '2', '3']) await rig.sendBody(JSON.stringify({ bucket: 'b', key }), url, 'g');
  await brought;
  await drained;
  expect(runs).toBe(0);
  const order: string[] = [];
  const second = rig.worker(
    async ({ job }) => {
      order.push(job.key);
      return ACK;
    },
    { url, concurrency: 3 },
  );
  const all = next(second.events, 'message:deleted', () => order.length === 3);
  second.worker.start();
  await all;
  expect(order).toEqual(['1', '2', '3']);
});

test('pitfall 18 and 19: the abort of a stop reaches neither renewals nor deletes: work that ends after it still counts', async () => {
  const { worker, events } = rig.worker(
    async (_delivery, signal) => {
      await aborted(signal);
      // The lease of 2 s would be over by the third renewal had they ended with the stop.
      for (let count = 0; count < 3; count += 1) await next(events, 'lease:renewed');
      return ACK;
    },
    { settings: { unwindMs: 30_000 } },
  );
  await rig.send('a');
  const started = next(events, 'job:started');
  const deleted = next(events, 'message:deleted');
  worker.start();
  await started;
  const drained = worker.drain('test', 0);
  await deleted;
  expect(await drained).toMatchObject({ finished: 1, givenBack: 0, stuck: 0 });
  const queue = rig.sqs.server.inspectQueue('videos');
  expect([queue?.messages.ready, queue?.messages.inflight]).toEqual([[], []]);
});
