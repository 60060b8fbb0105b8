import { expect, test } from '@jest/globals';
import { Interruption } from '../../../src/failure/failure.ts';
import type { EntryResult, VisibilityEntry } from '../../../src/queue/message-queue.ts';
import { LeaseKeeper, type LeaseEvent } from '../../../src/queue/lease-keeper.ts';
import type { Lease } from '../../../src/queue/lease.ts';
import { FakeQueue } from '../../harness/fake-queue.ts';
import { HandClock } from '../../harness/hand-clock.ts';

const OK: EntryResult = { kind: 'ok' };
const BUSY: EntryResult = { kind: 'failed', code: 'Throttled', message: 'slow down' };
const GONE: EntryResult = { kind: 'gone', code: 'ReceiptHandleIsInvalid', message: 'gone' };

function rig(answer: (entries: readonly VisibilityEntry[], call: number) => EntryResult[], visibilitySeconds = 60) {
  const clock = new HandClock();
  const calls: { at: number; entries: readonly VisibilityEntry[]; timeoutMs: number }[] = [];
  const events: LeaseEvent[] = [];
  const queue = new FakeQueue({ clock });
  queue.extend = async (entries, timeoutMs) => {
    calls.push({ at: clock.now(), entries, timeoutMs });
    return answer(entries, calls.length);
  };
  const keeper = new LeaseKeeper({
    clock,
    visibilitySeconds,
    random: () => 0.5,
    onEvent: (event) => events.push(event),
  });
  const take = (messageId = 'm', requestedAt = clock.now()): Lease =>
    keeper.register(queue, { messageId, receiptHandle: `${messageId}-1` }, requestedAt);
  return { clock, keeper, calls, events, take };
}

const allOk = (entries: readonly VisibilityEntry[]): EntryResult[] => entries.map(() => OK);

test('pitfall 1 and 2: the lease counts from the receive call, and a slow answer is renewed at once', async () => {
  const { clock, calls, take } = rig(allOk);
  clock.jump(25_000);
  take('m', 0);
  await clock.advance(0);
  expect(calls.map((call) => call.at)).toEqual([25_000]);
});

test('pitfall 3: each renewal asks for the whole timeout, never for elapsed time on top', async () => {
  const { clock, calls, take } = rig(allOk);
  take();
  await clock.advance(61_000);
  expect(calls.map((call) => call.at)).toEqual([20_000, 40_000, 60_000]);
  expect(calls.every((call) => call.entries[0]?.seconds === 60)).toBe(true);
});

test('pitfall 4: at twelve hours the request is clamped, then the job is aborted', async () => {
  const { clock, calls, take } = rig(allOk, 600);
  const lease = take();
  await clock.advance(43_200_000);
  expect(lease.state).toBe('lost');
  const last = calls.at(-1);
  expect(last?.entries[0]?.seconds).toBeLessThan(600);
  for (const call of calls) expect(call.at / 1_000 + (call.entries[0]?.seconds ?? 0)).toBeLessThanOrEqual(43_195);
});

test('pitfall 5: a failed renewal is tried again and the lease lives on', async () => {
  const { clock, calls, keeper, take } = rig((entries, call) => (call <= 2 ? [BUSY] : allOk(entries)));
  const lease = take();
  await clock.advance(20_000);
  expect(keeper.isHealthy).toBe(false);
  await clock.advance(5_000);
  expect(calls.length).toBe(3);
  expect(lease.state).toBe('held');
  expect(keeper.isHealthy).toBe(true);
});

test('pitfall 5: without a renewal the lease is lost a margin before its deadline, not after it', async () => {
  const { clock, calls, take } = rig((entries) => entries.map(() => BUSY));
  const lease = take();
  const lostAt = Promise.withResolvers<number>();
  lease.signal.addEventListener('abort', () => lostAt.resolve(clock.now()));
  await clock.advance(60_000);
  expect(await lostAt.promise).toBe(55_000);
  expect(lease.signal.reason).toBeInstanceOf(Interruption);
  expect(Math.max(...calls.map((call) => call.timeoutMs))).toBeLessThan(5_000);
});

test('pitfall 6 and 7: each entry of a batch is read, and only the one that is gone is lost', async () => {
  const { clock, take } = rig((entries) => entries.map(({ receiptHandle }) => (receiptHandle === 'b-1' ? GONE : OK)));
  const [a, b] = [take('a'), take('b')];
  await clock.advance(21_000);
  expect([a.state, b.state]).toEqual(['held', 'lost']);
});

test('pitfall 8: after a freeze past the deadline the commit waits for SQS, which may say that it is over', async () => {
  const { clock, keeper, calls, events, take } = rig((entries) => entries.map(() => GONE));
  const lease = take();
  clock.jump(90_000);
  const confirmed = keeper.confirm(lease);
  const caught = confirmed.catch((error: unknown) => error);
  await clock.advance(0);
  expect(await caught).toBeInstanceOf(Interruption);
  expect(calls).toHaveLength(1);
  expect(events.map((event) => event.kind)).toEqual(['gap', 'lost']);
});

test('pitfall 8: after a freeze that nobody used, the lease is confirmed and the job goes on', async () => {
  const { clock, keeper, take } = rig(allOk);
  const lease = take();
  clock.jump(90_000);
  const confirmed = keeper.confirm(lease);
  await clock.advance(0);
  await confirmed;
  expect(lease.state).toBe('held');
  expect(lease.deadline).toBe(150_000);
});

test('pitfall 10: twenty-three leases are renewed in three calls of at most ten', async () => {
  const { clock, calls, take } = rig(allOk);
  for (let index = 0; index < 23; index += 1) take(`m${index}`);
  await clock.advance(21_000);
  expect(calls.map((call) => call.entries.length)).toEqual([10, 10, 3]);
});

test('pitfall 15: the newest receipt handle is the one that is renewed', async () => {
  const { clock, keeper, calls, take } = rig(allOk);
  const lease = take();
  keeper.adopt(lease, 'newer', 0);
  await clock.advance(21_000);
  expect(calls[0]?.entries[0]?.receiptHandle).toBe('newer');
});

test('a released lease is never renewed again and leaves no timer', async () => {
  const { clock, keeper, calls, take } = rig(allOk);
  await keeper.release(take());
  await clock.advance(120_000);
  expect(calls).toEqual([]);
  expect(clock.timers).toBe(0);
});

test('renewals that stand still show, renewals that are refused do not', async () => {
  const { clock, keeper, take } = rig((entries) => entries.map(() => BUSY));
  take();
  await clock.advance(30_000);
  expect(keeper.isHealthy).toBe(false);
  expect(keeper.lateMs).toBe(0);
  clock.jump(15_000);
  expect(keeper.lateMs).toBeGreaterThan(10_000);
});

test('the timer of a lease that has ended renews no other ahead of its time', async () => {
  const { clock, keeper, calls, take } = rig(allOk);
  const first = take('a');
  await clock.advance(2_000);
  take('b');
  await keeper.release(first);
  await clock.advance(30_000);
  expect(calls.map(({ at, entries }) => [at, entries.map(({ receiptHandle }) => receiptHandle)])).toEqual([
    [22_000, ['b-1']],
  ]);
});

test('who works on a message learns of its loss before anybody who listens to its signal', async () => {
  const { keeper, take } = rig(allOk);
  const lease = take();
  const told: string[] = [];
  lease.signal.addEventListener('abort', () => told.push('signal'));
  lease.onLoss(({ kind }) => told.push(kind));
  keeper.lose(lease, 'somebody else has it');
  expect(told).toEqual(['lease-lost', 'signal']);
});
