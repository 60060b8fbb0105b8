import { readFileSync } from 'node:fs';
import { beforeEach, expect, test } from '@jest/globals';
import { StopTime, STOP_REST_MS } from '../../../src/cli/stop-time.ts';
import { HandClock } from '../../harness/hand-clock.ts';

let clock: HandClock;
/** When systemd was asked, and until when it waits since then. */
let asked: { readonly at: number; readonly until: number }[];
let isAlive: boolean;

beforeEach(() => {
  clock = new HandClock();
  asked = [];
  isAlive = true;
});

function build(): StopTime {
  const extendStop = async (ms: number): Promise<void> => void asked.push({ at: clock.now(), until: clock.now() + ms });
  return new StopTime({ notifier: { extendStop }, isAlive: () => isAlive, clock });
}

test('a drain of an hour is asked for a little at a time, without a gap, and not beyond its own end', async () => {
  using stop = build();
  stop.draining(3_600_000);
  await clock.advance(2 * 3_600_000);
  for (const [index, { at }] of asked.entries()) expect(at).toBeLessThan(asked[index - 1]?.until ?? 1);
  expect(asked.at(-1)?.until).toBe(3_600_000 + STOP_REST_MS);
  expect(Math.max(...asked.map(({ at, until }) => until - at))).toBeLessThanOrEqual(30_000);
  expect(clock.timers).toBe(0);
});

test('a process that stands still asks for nothing: what systemd was told last is over within half a minute', async () => {
  using stop = build();
  stop.draining(3_600_000);
  await clock.advance(600_000);
  isAlive = false;
  const before = asked.length;
  await clock.advance(600_000);
  expect(asked).toHaveLength(before);
  expect(asked.at(-1)?.until).toBeLessThanOrEqual(600_000 + 30_000);
});

test('a later end counts only where it is nearer, as for the drain', async () => {
  using stop = build();
  stop.draining(100_000);
  await clock.advance(50_000);
  stop.draining(3_600_000);
  stop.draining(0);
  await clock.advance(3_600_000);
  expect(asked.at(-1)?.until).toBe(50_000 + STOP_REST_MS);
});

test('nothing is asked for before a drain begins, nor when all is over', async () => {
  {
    using stop = build();
    await clock.advance(100_000);
    expect(asked).toEqual([]);
    stop.draining(100_000);
  }
  await clock.advance(100_000);
  expect(asked).toHaveLength(1);
  expect(clock.timers).toBe(0);
});

test('the unit waits as long by itself as the default drain and its rest take', () => {
  const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(readFileSync('systemd/video-worker.service', 'utf8'))?.[1]);
  expect(seconds * 1_000).toBeGreaterThanOrEqual(90_000 + STOP_REST_MS);
});
