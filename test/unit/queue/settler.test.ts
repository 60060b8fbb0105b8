import { expect, test } from '@jest/globals';
import { LeaseKeeper } from '../../../src/queue/lease-keeper.ts';
import type { Lease } from '../../../src/queue/lease.ts';
import { Settler } from '../../../src/queue/settler.ts';
import { FakeQueue, type FakeCall, type Fault } from '../../harness/fake-queue.ts';
import { HandClock } from '../../harness/hand-clock.ts';

/** A settler on a queue whose deletes can be made to fail. */
function desk(): {
  readonly settler: Settler;
  readonly keeper: LeaseKeeper;
  readonly clock: HandClock;
  readonly queue: FakeQueue;
  /** Takes so many messages from the queue, oldest first. */
  readonly take: (count: number, from?: FakeQueue) => Promise<Lease[]>;
} {
  const clock = new HandClock();
  const queue = new FakeQueue({ clock });
  const keeper = new LeaseKeeper({ clock, visibilitySeconds: 60 });
  const settler = new Settler({ keeper, clock, random: () => 0.5 });
  const take = async (count: number, from = queue): Promise<Lease[]> => {
    const leases: Lease[] = [];
    for (let index = 0; index < count; index += 1) from.send(String(index));
    while (leases.length < count) {
      const messages = await from.receive({ maxMessages: 10, waitSeconds: 0, visibilitySeconds: 60 });
      leases.push(...messages.map((message) => keeper.register(from, message, clock.now())));
    }
    return leases;
  };
  return { settler, keeper, clock, queue, take };
}

const refuse: Fault = ({ name }) =>
  name === 'acknowledge' ? { kind: 'failed', code: 'InternalError', message: 'not now' } : null;
const named = (queue: FakeQueue, name: FakeCall['name']): FakeCall[] =>
  queue.calls.filter((call) => call.name === name);

test('a delete that waits to be tried again is tried once more when the process ends', async () => {
  const { settler, clock, queue, take } = desk();
  const [lease] = await take(1);
  queue.fault = refuse;
  const done = settler.acknowledge(lease!);
  await clock.advance(10);
  expect(named(queue, 'acknowledge')).toHaveLength(1);
  queue.fault = () => null;
  await clock.until(settler.hurry());
  expect(await done).toBe('deleted');
  expect(named(queue, 'acknowledge')).toHaveLength(2);
  expect(queue.size).toBe(0);
});

test('finished work whose last delete fails is never given back: its lease runs out, a redelivery is known as done', async () => {
  const { settler, keeper, clock, queue, take } = desk();
  const [finished, running] = await take(2);
  queue.fault = refuse;
  const done = settler.acknowledge(finished!);
  await clock.advance(10);
  // What a drain and a crash do: everything held goes back.
  expect(await clock.until(settler.giveBackAll(keeper.held))).toBe(1);
  await clock.until(settler.hurry());
  expect(await done).toBe('remembered');
  expect(settler.isDone(finished!.messageId)).toBe(true);
  expect(named(queue, 'giveBack').flatMap(({ handles }) => handles)).toEqual([running!.receiptHandle]);
  expect(running!.state).toBe('released');
});

test('a message is given back once: whoever has it now must not lose it to a second call', async () => {
  const { settler, keeper, clock, queue, take } = desk();
  const [held] = await take(1);
  expect(await clock.until(settler.giveBack(held!, 0))).toBe(true);
  expect(await clock.until(settler.giveBack(held!, 0))).toBe(false);
  expect(named(queue, 'giveBack')).toHaveLength(1);
  await expect(keeper.confirm(held!)).rejects.toMatchObject({ kind: 'lease-lost' });
});

test('pitfall 17: a group of an ordered queue goes back last message first', async () => {
  const { settler, clock, take } = desk();
  const ordered = new FakeQueue({ clock, isOrdered: true });
  const leases = await take(3, ordered);
  const handles = leases.map(({ receiptHandle }) => receiptHandle);
  await clock.until(settler.giveBackAll(leases));
  expect(named(ordered, 'giveBack').map((call) => call.handles)).toEqual(
    handles.toReversed().map((handle) => [handle]),
  );
});

test('deletes of many jobs share calls of ten', async () => {
  const { settler, clock, queue, take } = desk();
  const leases = await take(25);
  const all = Promise.all(leases.map((lease) => settler.acknowledge(lease)));
  expect(new Set(await clock.until(all))).toEqual(new Set(['deleted']));
  expect(named(queue, 'acknowledge').map(({ handles }) => handles.length)).toEqual([10, 10, 5]);
});

test('groups of an ordered queue go back beside each other, the latest message of each first', async () => {
  const { settler, keeper, clock } = desk();
  const ordered = new FakeQueue({ clock, isOrdered: true });
  for (const name of ['a1', 'b1', 'a2', 'b2', 'a3']) ordered.send(name, { groupId: name.slice(0, 1) });
  const messages = await ordered.receive({ maxMessages: 10, waitSeconds: 0, visibilitySeconds: 60 });
  const leases = messages.map((message) => keeper.register(ordered, message, clock.now()));
  const nameOf = new Map(messages.map(({ receiptHandle, body }) => [receiptHandle, body]));
  expect(await clock.until(settler.giveBackAll(leases))).toBe(5);
  const calls = named(ordered, 'giveBack').map(({ handles }) => new Set(handles.map((handle) => nameOf.get(handle))));
  expect(calls).toEqual([new Set(['a3', 'b2']), new Set(['a2', 'b1']), new Set(['a1'])]);
});

test('many groups of an ordered queue that does not answer cost a process that ends no more time than one', async () => {
  const { settler, keeper, clock } = desk();
  const ordered = new FakeQueue({ clock, isOrdered: true });
  for (let group = 0; group < 30; group += 1) ordered.send('x', { groupId: String(group) });
  const leases: Lease[] = [];
  while (leases.length < 30) {
    const messages = await ordered.receive({ maxMessages: 10, waitSeconds: 0, visibilitySeconds: 60 });
    leases.push(...messages.map((message) => keeper.register(ordered, message, clock.now())));
  }
  ordered.fault = () => new Promise(() => {});
  await clock.until(settler.hurry());
  expect(await clock.until(settler.giveBackAll(leases))).toBe(0);
  expect(clock.now()).toBeLessThan(14_000);
});

test('what the end of a message depends on is done again until it succeeds, and its lease is handed to nobody meanwhile', async () => {
  const { settler, keeper, clock, queue, take } = desk();
  const [lease] = await take(1);
  const attempts: number[] = [];
  const done = settler.insist(lease!, 60_000, async () => {
    attempts.push(clock.now());
    if (attempts.length < 4) throw new Error('reset');
  });
  await clock.advance(500);
  expect(settler.isSettling(lease!)).toBe(true);
  expect(await clock.until(settler.giveBackAll(keeper.held))).toBe(0);
  await clock.until(done);
  expect(attempts).toEqual([0, 200, 600, 1_400]);
  expect([settler.isSettling(lease!), named(queue, 'giveBack')]).toEqual([false, []]);
});

test('what does not succeed is tried for its time, as long as the lease lives, and fails as the last attempt did', async () => {
  const { settler, keeper, clock, take } = desk();
  const [lease, other] = await take(2);
  let attempts = 0;
  const refusing = (): Promise<void> => Promise.reject(new Error(`attempt ${(attempts += 1)}`));
  // 0, 200, 600, 1,400 and 3,000 ms; the next would be too late.
  await clock.until(expect(settler.insist(lease!, 5_000, refusing)).rejects.toThrow('attempt 5'));
  expect(clock.now()).toBe(3_000);
  attempts = 0;
  const unlimited = expect(settler.insist(other!, Infinity, refusing)).rejects.toThrow('attempt 7');
  await clock.advance(10_000);
  keeper.lose(other!, 'somebody has taken it');
  await clock.until(unlimited);
  expect(attempts).toBe(7);
});

test('what waits to be tried again is tried once more when the process ends, which waits for that', async () => {
  const { settler, clock, take } = desk();
  const [lease] = await take(1);
  const attempts: number[] = [];
  const done = settler.insist(lease!, Infinity, async () => {
    attempts.push(clock.now());
    await new Promise<void>((resolve) => void clock.after(500, resolve));
    throw new Error(`attempt ${attempts.length}`);
  });
  const failed = expect(done).rejects.toThrow('attempt 4');
  await clock.advance(2_200);
  await clock.until(settler.hurry());
  expect([attempts, clock.now()]).toEqual([[0, 700, 1_600, 2_200], 2_700]);
  await failed;
  // What begins after that has its one attempt.
  await expect(settler.insist(lease!, Infinity, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(clock.now()).toBe(2_700);
});
