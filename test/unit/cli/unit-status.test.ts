import { beforeEach, expect, test } from '@jest/globals';
import { UnitStatus } from '../../../src/cli/unit-status.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { WorkerEventBus } from '../../../src/worker/events.ts';
import type { WorkerState } from '../../../src/worker/states.ts';
import { HandClock } from '../../harness/hand-clock.ts';

const START = Date.parse('2026-03-01T03:11:58Z');

let clock: HandClock;
let events: WorkerEventBus;
let said: string[];
let worker: { state: WorkerState; busy: number; waiting: number };
let counts: { completed: number; failed: number };

beforeEach(() => {
  clock = new HandClock();
  events = new WorkerEventBus(createLogger({ level: 'silent', format: 'json', name: 'test' }));
  said = [];
  worker = { state: 'polling', busy: 0, waiting: 0 };
  counts = { completed: 0, failed: 0 };
});

function build(): UnitStatus {
  return new UnitStatus({
    worker,
    summary: () => counts,
    events,
    notifier: { status: async (text) => void said.push(text) },
    clock,
    wallTime: () => new Date(START + clock.now()),
  });
}

const started = (): void => events.emit('job:started', { messageId: 'm', key: 'k', receiveCount: 1 });

test('says what the worker does, what it has done and what is away since when', async () => {
  using status = build();
  Object.assign(worker, { busy: 2, waiting: 1 });
  counts = { completed: 37, failed: 1 };
  await clock.advance(2_000);
  events.emit('circuit:open', { dependency: 'database', forMs: 1 });
  await clock.advance(3_600_000);
  events.emit('circuit:open', { dependency: 'database', forMs: 1 });
  expect(status.text).toBe(
    'polling, 2 videos in work, 1 waiting, 37 done, 1 failed; waiting for database since 03:12Z',
  );
  events.emit('poll:failed', { queue: 'high', error: new Error('away') });
  await clock.advance(24 * 3_600_000);
  expect(status.text).toMatch(
    /waiting for database since 2026-03-01 03:12Z; waiting for queue high since 2026-03-01 04:12Z$/,
  );
  events.emit('circuit:closed', { dependency: 'database' });
  events.emit('poll:answered', { queue: 'high', messages: 0 });
  status.draining('SIGTERM');
  worker.state = 'draining';
  worker.busy = 1;
  expect(status.text).toBe('draining (SIGTERM), 1 video in work, 1 waiting, 37 done, 1 failed');
});

test('a thousand messages in a row are a line every five seconds, and the last one is right', async () => {
  using _status = build();
  for (let message = 1; message <= 1_000; message += 1) {
    counts.completed = message;
    started();
    await clock.advance(20);
  }
  await clock.advance(5_000);
  expect(said.length).toBeLessThanOrEqual(1 + 25_000 / 5_000);
  expect(said.at(-1)).toContain(', 1000 done, ');
});

test('what changes nothing is not said again', async () => {
  using _status = build();
  started();
  await clock.advance(10_000);
  for (let poll = 0; poll < 100; poll += 1) {
    events.emit('poll:answered', { queue: 'normal', messages: 0 });
    started();
    await clock.advance(10_000);
  }
  expect(said).toEqual(['polling, 0 videos in work, 0 done, 0 failed']);
});

test('nothing is said when it is over', async () => {
  {
    using _status = build();
    started();
  }
  started();
  await clock.advance(60_000);
  expect(said).toEqual([]);
  expect(clock.timers).toBe(0);
});
