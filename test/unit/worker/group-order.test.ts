import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { setImmediate } from 'node:timers/promises';
import { Failure } from '../../../src/failure/failure.ts';
import { FifoGroups } from '../../../src/worker/fifo-groups.ts';
import { atDepth } from '../../harness/depth.ts';
import type { FakeCall } from '../../harness/fake-queue.ts';
import { next, told } from '../../harness/worker-events.ts';
import { createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';
import { seededRandom } from '../../chaos/random.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
const AWAY = { kind: 'failed', code: 'Away', message: 'no answer' } as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const rejected = (): Disposition => ({ kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') });
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig({ isOrdered: true });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

/** A worker that tells which jobs it began, in order. */
function started(decide: (key: string, run: number) => Disposition): {
  readonly runs: string[];
  readonly worker: ReturnType<WorkerRig['worker']>;
} {
  const runs: string[] = [];
  const worker = rig.worker(
    async ({ job }) => {
      runs.push(job.key);
      return decide(job.key, runs.filter((key) => key === job.key).length);
    },
    { concurrency: 4 },
  );
  return { runs, worker };
}

test('what follows a message whose dead-letter copy fails waits until that message has really gone', async () => {
  const { runs, worker } = started((key) => (key === '1' ? rejected() : ACK));
  let isAway = true;
  rig.queue.fault = ({ name }) => (name === 'deadLetter' && isAway ? new Error('reset') : null);
  for (const key of ['1', '2', '3']) rig.send(key, 'g');
  const back = next(worker.events, 'message:given-back');
  worker.worker.start();
  await rig.clock.until(back);
  await rig.clock.advance(40 * MINUTE_MS);
  expect(new Set(runs)).toEqual(new Set(['1']));
  isAway = false;
  await rig.clock.until(told(worker.events, 'message:deleted', 3));
  expect(runs.filter((key) => key !== '1')).toEqual(['2', '3']);
  expect([rig.queue.deadLetters.length, rig.queue.size]).toEqual([1, 0]);
});

test('what follows a rejected message is not run before the queue itself has moved that away, where no copy can be made', async () => {
  rig = createWorkerRig({ isOrdered: true, hasDeadLetters: false, maxReceives: 3 });
  const { runs, worker } = started((key) => (key === '1' ? rejected() : ACK));
  const first = rig.send('1', 'g');
  rig.send('2', 'g');
  const last = next(worker.events, 'message:deleted');
  worker.worker.start();
  await rig.clock.until(last);
  await rig.clock.advance(HOUR_MS);
  expect([runs, rig.queue.moved]).toEqual([['1', '1', '1', '2'], [first]]);
});

test('an outage of the place for dead letters or of deletes costs a group neither its order nor a receive', async () => {
  const { runs, worker } = started((key) => (key === '1' ? rejected() : ACK));
  rig.queue.fault = ({ name }) => {
    if (name === 'acknowledge') return rig.clock.now() < 20 * MINUTE_MS ? AWAY : null;
    return name === 'deadLetter' && rig.clock.now() < 10 * MINUTE_MS ? new Error('reset') : null;
  };
  for (const key of ['1', '2', '3']) rig.send(key, 'g');
  worker.worker.start();
  await rig.clock.until(told(worker.events, 'message:deleted', 3));
  expect([runs, rig.queue.mostReceives, rig.queue.deadLetters.length]).toEqual([['1', '2', '3'], 1, 1]);
});

test.each<[string, Disposition]>([
  ['done', ACK],
  ['rejected', rejected()],
])('what follows a message that is %s and cannot be deleted waits for its delete', async (_, end) => {
  const { runs, worker } = started((key) => (key === '1' ? end : ACK));
  let isAway = true;
  rig.queue.fault = ({ name }) => (name === 'acknowledge' && isAway ? AWAY : null);
  const first = rig.send('1', 'g');
  rig.send('2', 'g');
  const remembered = next(worker.events, 'message:remembered');
  worker.worker.start();
  await rig.clock.until(remembered);
  await rig.clock.advance(10_000);
  isAway = false;
  const deleted: string[] = [];
  worker.events.on('message:deleted', ({ messageId }) => deleted.push(messageId));
  expect(runs).toEqual(['1']);
  await rig.clock.until(told(worker.events, 'message:deleted', 2));
  expect([runs, deleted[0]]).toEqual([['1', '2'], first]);
  expect(rig.queue.deadLetters).toHaveLength(end.kind === 'reject' ? 1 : 0);
});

test('what is no job keeps its place too: the next is not run before its copy is made', async () => {
  const { runs, worker } = started(() => ACK);
  let isAway = true;
  rig.queue.fault = ({ name }) => (name === 'deadLetter' && isAway ? new Error('reset') : null);
  rig.queue.send('not json', { groupId: 'g' });
  rig.send('2', 'g');
  worker.worker.start();
  await rig.clock.advance(40 * MINUTE_MS);
  expect(runs).toEqual([]);
  isAway = false;
  await rig.clock.until(told(worker.events, 'message:deleted', 2));
  expect([runs, rig.queue.deadLetters.length, rig.queue.size]).toEqual([['2'], 1, 0]);
});

test('messages whose copies are tried for long leave their slots to other groups', async () => {
  const { worker, events } = rig.worker(async () => ACK, { concurrency: 2 });
  rig.queue.fault = ({ name }) => (name === 'deadLetter' ? new Error('reset') : null);
  for (const group of ['a', 'b']) rig.queue.send('not json', { groupId: group });
  worker.start();
  await rig.clock.advance(1_000);
  const good = rig.send('1', 'c');
  const deleted = next(events, 'message:deleted', ({ messageId }) => messageId === good);
  await rig.clock.until(deleted);
  expect(rig.clock.now()).toBeLessThan(MINUTE_MS);
});

test('what is no job is not copied before what came first in its group is over', async () => {
  const finish = Promise.withResolvers<void>();
  const { worker, events } = rig.worker(
    async () => {
      await finish.promise;
      return rejected();
    },
    { concurrency: 3 },
  );
  rig.send('1', 'g');
  rig.queue.send('not json', { groupId: 'g' });
  const waits = next(events, 'message:waiting', ({ why }) => why === 'group');
  worker.start();
  await rig.clock.until(waits);
  await rig.clock.advance(MINUTE_MS);
  expect(rig.queue.deadLetters).toEqual([]);
  finish.resolve();
  await rig.clock.until(told(events, 'message:deleted', 2));
  expect(rig.queue.deadLetters.map(({ reason }) => reason.failure.code)).toEqual(['NOT_A_VIDEO', 'MESSAGE_NOT_JSON']);
});

test('a place that is given up lets nobody past those before it, and holds back only those behind it', async () => {
  const groups = new FifoGroups();
  const [first, second, third] = [groups.enter('g'), groups.enter('g'), groups.enter('g')];
  second.leave(false);
  expect(await third.turn).toBe(false);
  third.leave(false);
  const again = groups.enter('g');
  let mayRun: boolean | null = null;
  void again.turn?.then((may) => (mayRun = may));
  await setImmediate();
  expect([first.turn, mayRun]).toEqual([null, null]);
  first.leave(true);
  expect(await again.turn).toBe(true);
  again.leave(true);
  expect(groups.enter('g').turn).toBeNull();
});

const DISPOSITIONS: readonly (() => Disposition)[] = [
  () => ACK,
  () => ACK,
  rejected,
  () => ({ kind: 'retry', afterSeconds: 20, failure: new Failure('DATABASE_CONFLICT', 'x') }),
];

test.each(Array.from({ length: atDepth(16, 40) }, (_, seed) => seed))(
  'the order of a group holds whatever call fails (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const { runs, worker } = started((_key, run) =>
      run > 3 ? ACK : (DISPOSITIONS[Math.floor(random() * DISPOSITIONS.length)] ?? rejected)(),
    );
    const isOut = new Map<string, boolean>();
    // Long enough to outlast what is tried again under a lease.
    rig.queue.fault = ({ name }: FakeCall) => {
      if (rig.clock.now() > 3 * HOUR_MS) return null;
      const outage = `${name} ${Math.floor(rig.clock.now() / (20 * MINUTE_MS))}`;
      if (!isOut.has(outage)) isOut.set(outage, random() < 0.5);
      if (isOut.get(outage) !== true) return null;
      return name === 'receive' || name === 'deadLetter' ? new Error('reset') : AWAY;
    };
    for (const key of ['1', '2', '3', '4', '5']) for (const group of ['a', 'b']) rig.send(`${group}${key}`, group);
    worker.worker.start();
    await rig.clock.advance(12 * HOUR_MS);
    expect(rig.queue.size).toBe(0);
    for (const group of ['a', 'b']) {
      const order = runs.filter((key) => key.startsWith(group));
      expect(order).toEqual([...order].sort());
      expect(new Set(order).size).toBe(5);
    }
  },
);
