import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { next } from '../../harness/worker-events.ts';
import { anotherRunHasIt, createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test('a message that waits gets its turn while new ones never end', async () => {
  let isReady = false;
  const { worker, events } = rig.worker(async ({ job }) => {
    if (job.key === 'waits') {
      return isReady ? ACK : { kind: 'wait', why: 'space', afterSeconds: 60, detail: 'no room', otherwise: null };
    }
    await new Promise<void>((resolve) => void rig.clock.after(5_000, resolve));
    return ACK;
  });
  const id = rig.send('waits');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  for (let message = 0; message < 100; message += 1) rig.send(`new-${message}`);
  isReady = true;
  await rig.clock.until(next(events, 'message:deleted', ({ messageId }) => messageId === id));
  // Its time is five seconds; one new message was at work then.
  expect(rig.clock.now()).toBeLessThan(11_000);
});

test('while the worker is paused nothing that waits goes on, and its lease is kept', async () => {
  let runs = 0;
  const { worker, events } = rig.worker(async () => ((runs += 1) > 1 ? ACK : anotherRunHasIt()));
  rig.send('a');
  worker.start();
  await rig.clock.until(next(events, 'message:waiting'));
  worker.pause();
  await rig.clock.advance(3_600_000);
  expect([worker.waiting, runs]).toEqual([1, 1]);
  worker.resume();
  await rig.clock.until(next(events, 'message:deleted'));
  expect(rig.queue.mostReceives).toBe(1);
});
