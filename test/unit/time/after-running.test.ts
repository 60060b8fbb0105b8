import { expect, test } from '@jest/globals';
import { afterRunning, type RunningTimer } from '../../../src/time/after-running.ts';
import { HandClock } from '../../harness/hand-clock.ts';

/** A timer of a minute and the times at which it was over. */
function minute(): { readonly clock: HandClock; readonly fired: number[]; readonly timer: RunningTimer } {
  const clock = new HandClock();
  const fired: number[] = [];
  const timer = afterRunning(clock, 60_000, () => fired.push(clock.now()));
  return { clock, fired, timer };
}

test('the work is called once, when the time is over', async () => {
  const { clock, fired } = minute();
  await clock.advance(59_999);
  expect(fired).toEqual([]);
  await clock.advance(600_000);
  expect(fired).toEqual([60_000]);
  expect(clock.timers).toBe(0);
});

test('a short time is not over sooner or later either', async () => {
  const clock = new HandClock();
  const fired: number[] = [];
  for (const ms of [0, 50, 130, 1_000]) afterRunning(clock, ms, () => fired.push(ms, clock.now()));
  await clock.advance(2_000);
  expect(fired).toEqual([0, 0, 50, 50, 130, 130, 1_000, 1_000]);
});

test('after a pause of the process the time begins again: a timer that comes late proves nothing', async () => {
  const { clock, fired, timer } = minute();
  await clock.advance(50_000);
  expect(timer.ranMs).toBe(50_000);
  clock.jump(30_000);
  expect(timer.ranMs).toBe(0);
  await clock.advance(59_999);
  expect(fired).toEqual([]);
  await clock.advance(1);
  expect(fired).toEqual([140_000]);
});

test('a busy event loop is no pause', async () => {
  const { clock, fired } = minute();
  for (let late = 0; late < 10; late += 1) {
    await clock.advance(3_000);
    clock.jump(2_900);
  }
  await clock.advance(1_000);
  expect(fired).toEqual([60_000]);
});

test('what pauses again and again is over all the same: after twenty pauses they count as time', async () => {
  const { clock, fired, timer } = minute();
  for (let pause = 0; pause < 20; pause += 1) {
    clock.jump(90_000);
    await clock.advance(10_000);
  }
  expect([fired, timer.ranMs]).toEqual([[], 10_000]);
  clock.jump(90_000);
  await clock.advance(0);
  expect(fired).toEqual([clock.now()]);
});

test('it begins again when it is told to, and tells how long it has run', async () => {
  const { clock, fired, timer } = minute();
  await clock.advance(40_000);
  timer.restart();
  expect([timer.ranMs, clock.timers]).toEqual([0, 1]);
  await clock.advance(59_000);
  expect([fired, timer.ranMs]).toEqual([[], 59_000]);
  await clock.advance(1_000);
  expect(fired).toEqual([100_000]);
});

test('it is never over once it was cancelled', async () => {
  const { clock, fired, timer } = minute();
  await clock.advance(59_000);
  timer.cancel();
  expect(clock.timers).toBe(0);
  await clock.advance(600_000);
  expect(fired).toEqual([]);
});
