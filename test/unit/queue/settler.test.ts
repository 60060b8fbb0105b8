import { expect, test } from '@jest/globals';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { LeaseKeeper } from '../../../src/queue/lease-keeper.ts';
import type { Lease } from '../../../src/queue/lease.ts';
import { Settler } from '../../../src/queue/settler.ts';
import { HandClock } from '../../harness/hand-clock.ts';

interface Call {
  readonly name: string;
  readonly entries: readonly {
    readonly Id: string;
    readonly ReceiptHandle: string;
    readonly VisibilityTimeout?: number;
  }[];
}

/** A settler on a queue that answers what it is told to. */
function desk(answers: { deletes: 'ok' | 'failed' }): {
  readonly settler: Settler;
  readonly keeper: LeaseKeeper;
  readonly clock: HandClock;
  readonly calls: Call[];
  readonly lease: (id: string, queue?: string) => Lease;
} {
  const calls: Call[] = [];
  const client = {
    send: (command: { constructor: { name: string }; input: { Entries: Call['entries'] } }) => {
      const { name } = command.constructor;
      const entries = command.input.Entries;
      calls.push({ name, entries });
      const failed = name === 'DeleteMessageBatchCommand' && answers.deletes === 'failed';
      return Promise.resolve(
        failed
          ? { Failed: entries.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false })) }
          : { Successful: entries.map(({ Id }) => ({ Id })) },
      );
    },
  } as unknown as SQSClient;
  const clock = new HandClock();
  const keeper = new LeaseKeeper({
    clock,
    visibilitySeconds: 60,
    changeVisibility: async (_url, entries) => entries.map(() => ({ kind: 'ok' })),
  });
  const settler = new Settler({ client, keeper, clock, lingerMs: 0, random: () => 0.5 });
  const lease = (id: string, queueUrl = 'q'): Lease =>
    keeper.register({ queueUrl, messageId: id, receiptHandle: id, requestedAt: clock.now() });
  return { settler, keeper, clock, calls, lease };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('a delete that waits to be tried again is tried once more when the process ends', async () => {
  const answers = { deletes: 'failed' as 'ok' | 'failed' };
  const { settler, calls, lease } = desk(answers);
  const done = settler.acknowledge(lease('a'));
  await turn();
  expect(calls).toHaveLength(1);
  answers.deletes = 'ok';
  await settler.hurry();
  expect(await done).toBe('deleted');
  expect(calls.map(({ name }) => name)).toEqual(['DeleteMessageBatchCommand', 'DeleteMessageBatchCommand']);
});

test('finished work whose last delete fails is never given back: its lease runs out, a redelivery is known as done', async () => {
  const { settler, keeper, calls, lease } = desk({ deletes: 'failed' });
  const done = settler.acknowledge(lease('done'));
  const running = lease('running');
  await turn();
  // What a drain and a crash do: everything held goes back.
  expect(await settler.giveBackAll(keeper.held)).toBe(1);
  await settler.hurry();
  expect(await done).toBe('remembered');
  expect(settler.isDone('done')).toBe(true);
  const visibilities = calls.filter(({ name }) => name === 'ChangeMessageVisibilityBatchCommand');
  expect(visibilities.flatMap(({ entries }) => entries.map(({ ReceiptHandle }) => ReceiptHandle))).toEqual(['running']);
  expect(running.state).toBe('released');
});

test('a message is given back once: whoever has it now must not lose it to a second call', async () => {
  const { settler, keeper, calls, lease } = desk({ deletes: 'ok' });
  const held = lease('a');
  expect(await settler.giveBack(held, 0)).toBe(true);
  expect(await settler.giveBack(held, 0)).toBe(false);
  expect(calls).toHaveLength(1);
  await expect(keeper.confirm(held)).rejects.toMatchObject({ kind: 'lease-lost' });
});

test('pitfall 17: a FIFO group goes back last message first', async () => {
  const { settler, calls, lease } = desk({ deletes: 'ok' });
  await settler.giveBackAll(['1', '2', '3'].map((id) => lease(id, 'q.fifo')));
  expect(calls.map(({ entries }) => entries.map(({ ReceiptHandle }) => ReceiptHandle))).toEqual([['3'], ['2'], ['1']]);
});

test('deletes of many jobs share calls of ten', async () => {
  const { settler, calls, lease } = desk({ deletes: 'ok' });
  const leases = Array.from({ length: 25 }, (_, index) => lease(String(index)));
  expect(new Set(await Promise.all(leases.map((one) => settler.acknowledge(one))))).toEqual(new Set(['deleted']));
  expect(calls.map(({ entries }) => entries.length)).toEqual([10, 10, 5]);
});
