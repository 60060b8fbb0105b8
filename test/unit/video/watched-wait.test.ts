import { expect, test } from '@jest/globals';
import { tookTooLong, WatchedWait } from '../../../src/video/tools/watched-wait.ts';
import { HandClock } from '../../harness/hand-clock.ts';

const LIMIT_MS = 60_000;

function waiting(clock: HandClock, cpuShare: number) {
  const over = Promise.withResolvers<void>();
  let isOver = false;
  const usage = async () => ({ cpuMs: clock.now() * cpuShare, states: 'R' });
  const wait = new WatchedWait({ usage }, LIMIT_MS, clock, () => {
    isOver = true;
    over.resolve();
  });
  return { wait, isOver: () => isOver };
}

test('a wait is over when this process has run for so long', async () => {
  const clock = new HandClock();
  const { wait, isOver } = waiting(clock, 1);
  await clock.advance(LIMIT_MS - 1);
  expect(isOver()).toBe(false);
  await clock.advance(1);
  expect(isOver()).toBe(true);
  expect(wait.ranMs).toBe(LIMIT_MS);
});

test.each([1_000, 30_000, 59_000])('a pause of an hour after %i ms has the wait begin again', async (ms) => {
  const clock = new HandClock();
  const { wait, isOver } = waiting(clock, 1);
  await clock.advance(ms);
  clock.jump(3_600_000);
  expect(wait.ranMs).toBeLessThan(LIMIT_MS);
  await clock.advance(LIMIT_MS * 0.8);
  expect(isOver()).toBe(false);
  await clock.advance(LIMIT_MS * 0.3);
  expect(isOver()).toBe(true);
});

test.each([
  [0.9, 'VIDEO_DECODE_TIMEOUT'],
  [0.01, 'DECODER_INTERRUPTED'],
])('silence with a share of %d of the CPU is %s', async (share, code) => {
  const clock = new HandClock();
  const { wait } = waiting(clock, share);
  await clock.advance(LIMIT_MS);
  const failure = tookTooLong('silent', await wait.verdict(), {});
  expect(failure).toMatchObject({ code, details: { processStates: 'R' } });
});

test('a child of which nothing can be learned is not blamed', async () => {
  const clock = new HandClock();
  const wait = new WatchedWait({ usage: async () => null }, LIMIT_MS, clock, () => undefined);
  await clock.advance(LIMIT_MS);
  expect(tookTooLong('silent', await wait.verdict(), {}).code).toBe('DECODER_INTERRUPTED');
});
