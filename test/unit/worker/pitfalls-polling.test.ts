import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { next } from '../../harness/worker-events.ts';
import { createWorkerRig, type WorkerRig } from '../../harness/worker-rig.ts';
import pino from 'pino';

const ACK: Disposition = { kind: 'ack', outcome: 'completed' };
let rig: WorkerRig;

beforeEach(() => {
  rig = createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

test('pitfall 24: no more messages are in flight than slots are free and deletes are on their way, whatever waits in the queue', async () => {
  const finish = Promise.withResolvers<void>();
  let running = 0;
  let mostRunning = 0;
  const { worker, events } = rig.worker(
    async () => {
      mostRunning = Math.max(mostRunning, (running += 1));
      await finish.promise;
      running -= 1;
      return ACK;
    },
    { concurrency: 3 },
  );
  for (let index = 0; index < 10; index += 1) rig.send(`v${index}`);
  const counts: number[] = [];
  let deletedCount = 0;
  events.on('job:started', () => counts.push(rig.queue.inFlight.length));
  const full = next(events, 'job:started', () => counts.length === 3);
  const all = next(events, 'message:deleted', () => (deletedCount += 1) === 10);
  worker.start();
  await rig.clock.until(full);
  expect(counts[2]).toBe(3);
  finish.resolve();
  await rig.clock.until(all);
  expect(counts).toHaveLength(10);
  expect(mostRunning).toBe(3);
  expect(Math.max(...counts)).toBeLessThanOrEqual(6);
});

test('pitfall 26: polls that fail are tried again with growing pauses, a listener that throws stops nothing, and health tells', async () => {
  const pauses: number[] = [];
  const logger = pino(
    { level: 'warn' },
    { write: (line) => void pauses.push((JSON.parse(line) as { waitMs: number }).waitMs) },
  );
  const { worker, events } = rig.worker(async () => ACK, { options: { logger } });
  rig.queue.fault = ({ name }) => (name === 'receive' ? new Error('500') : null);
  events.on('poll:failed', () => {
    throw new Error('a listener of somebody else');
  });
  const often = next(events, 'poll:failed', () => pauses.length === 8);
  worker.start();
  await rig.clock.until(often);
  // 1, 2, 4 s and so on up to half a minute, of which up to a half is taken off by chance.
  for (const [index, full] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000].entries()) {
    expect(pauses[index]).toBeGreaterThanOrEqual(full / 2);
    expect(pauses[index]).toBeLessThanOrEqual(full);
  }
  const polls = rig.queue.calls.filter(({ name }) => name === 'receive').map(({ at }) => at);
  for (const [index, pause] of pauses.slice(0, 7).entries()) {
    expect((polls[index + 1] ?? 0) - (polls[index] ?? 0)).toBeGreaterThanOrEqual(pause - 1);
  }
  expect(worker.pollAgeMs).toBeNull();
  const answered = next(events, 'poll:answered');
  const deleted = next(events, 'message:deleted');
  rig.queue.fault = () => null;
  rig.send('a');
  await rig.clock.until(answered);
  expect(worker.pollAgeMs).not.toBeNull();
  await rig.clock.until(deleted);
});
