import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { next } from '../../harness/worker-events.ts';
import { anotherRunHasIt, createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
const AWAY = new Failure('DATABASE_UNAVAILABLE', 'the server is gone', { stage: 'claim' });
const HOUR_MS = 3_600_000;
let rig: WorkerRig;

// Every receive is the last one.
beforeEach(() => {
  rig = createWorkerRig({ maxReceives: 1 });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const reasons = (): readonly string[] => rig.queue.deadLetters.map(({ reason }) => reason.failure.code);

/** What the queue does to messages that went back without a reason: it moves them away at the next poll. */
async function afterAnotherPoll(): Promise<{ readonly reasons: readonly string[]; readonly moved: readonly string[] }> {
  const { worker } = rig.worker(async () => ACK);
  worker.start();
  await rig.clock.advance(10_000);
  return { reasons: reasons(), moved: rig.queue.moved };
}

test('what an open poll brings after the stop goes with a reason', async () => {
  const { worker } = rig.worker(async () => ACK);
  worker.start();
  await rig.clock.advance(1_000);
  const stopped = worker.drain('SIGTERM', 60_000);
  rig.send('a');
  await rig.clock.until(stopped);
  expect(await afterAnotherPoll()).toEqual({ reasons: ['INTERRUPTED'], moved: [] });
});

test('a message whose copy is on its way when the worker stops leaves one copy, with its own reason', async () => {
  const { worker, events } = rig.worker(async () => ({ kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') }), {
    settings: { visibilitySeconds: 300, unwindMs: 15_000 },
  });
  rig.send('a');
  rig.queue.fault = ({ name }) =>
    name === 'deadLetter' ? new Promise((resolve) => void rig.clock.after(25_000, () => resolve(null))) : null;
  const returned = next(events, 'job:returned');
  worker.start();
  await rig.clock.until(returned);
  await rig.clock.until(worker.drain('SIGTERM', 1_000));
  expect(reasons()).toEqual(['NOT_A_VIDEO']);
});

test('a copy that is tried for hours is told of at its first failure, once', async () => {
  const lines: string[] = [];
  const { worker } = rig.worker(async () => ({ kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') }), {
    options: { logger: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }) },
  });
  const messageId = rig.send('a');
  rig.queue.fault = ({ name }) => (name === 'deadLetter' ? new Error('denied') : null);
  worker.start();
  await rig.clock.advance(HOUR_MS);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ messageId, msg: expect.stringContaining('copy'), err: expect.anything() as unknown }),
  ]);
});

test('the copy is tried for as long as the lease can be kept: given back, the message would be gone without it', async () => {
  const { worker, events } = rig.worker(async () => ({ kind: 'reject', failure: new Failure('NOT_A_VIDEO', 'x') }));
  rig.send('a');
  rig.queue.fault = ({ name, at }) => (name === 'deadLetter' && at < HOUR_MS ? new Error('throttled') : null);
  worker.start();
  await rig.clock.until(next(events, 'message:deleted'));
  expect([reasons(), rig.queue.moved, rig.queue.mostReceives]).toEqual([['NOT_A_VIDEO'], [], 1]);
});

test('what the engine itself gives up after a wait is written down', async () => {
  const failure = new Failure('WORK_DIR_SPACE', 'no room');
  const written: string[] = [];
  const { worker, events } = rig.worker(
    async () => ({
      kind: 'wait',
      why: 'space',
      afterSeconds: 60,
      detail: 'no room',
      otherwise: { afterSeconds: 300, failure },
    }),
    { options: { onRejectedMessage: async ({ messageId }, { code }) => void written.push(`${messageId} ${code}`) } },
  );
  const id = rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:dead-lettered'));
  expect(written).toEqual([`${id} WORK_DIR_SPACE`]);
});

test('a crash sends the reason beside the record of it, which a database that is away would hold up', async () => {
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), {
    options: {
      onRejectedMessage: () =>
        new Promise((_, reject) => void rig.clock.after(5_000, () => reject(new Error('no answer')))),
    },
  });
  rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  await rig.clock.until(worker.giveBackAll(1_800));
  expect(reasons()).toEqual(['INTERRUPTED']);
});

test.each(['a crash', 'a stop'])(
  'a message that is no job and waits for the database leaves a reason at %s',
  async (end) => {
    const { worker, events } = rig.worker(async () => ACK, {
      options: { onRejectedMessage: () => Promise.reject(AWAY) },
    });
    rig.queue.send('not json');
    worker.start();
    await rig.clock.until(next(events, 'message:waiting'));
    await rig.clock.until<unknown>(end === 'a crash' ? worker.giveBackAll(1_800) : worker.drain('SIGTERM', 1_000));
    expect(reasons()).toEqual(['INTERRUPTED']);
  },
);

test('what waits is not burnt by an own poll that is open when a second signal comes', async () => {
  rig = createWorkerRig({ maxReceives: 2 });
  const { worker, events } = rig.worker(async () => anotherRunHasIt(), { concurrency: 30 });
  rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  await rig.clock.advance(1_000);
  expect(rig.queue.openPolls).toBeGreaterThan(0);
  await rig.clock.until(worker.drainNow('again'));
  // The poll brings it once more, and that receive is its last.
  expect(await afterAnotherPoll()).toEqual({ reasons: ['INTERRUPTED'], moved: [] });
});
