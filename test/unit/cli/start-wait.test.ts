import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { watchStart } from '../../../src/cli/start-signals.ts';
import { StartWait, type StartWaitOptions } from '../../../src/cli/start-wait.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { HandClock } from '../../harness/hand-clock.ts';

const silent = createLogger({ level: 'silent', format: 'json', name: 'test' });

interface Watched {
  readonly wait: StartWait;
  readonly clock: HandClock;
  readonly stop: AbortController;
  /** What systemd was told. */
  readonly told: string[];
  readonly lines: Readonly<Record<string, unknown>>[];
}

function build(options: Partial<StartWaitOptions> = {}): Watched {
  const clock = new HandClock();
  const stop = new AbortController();
  const told: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
  const wait = new StartWait({
    limitMs: 6 * 3_600_000,
    logger: createLogger({ level: 'info', format: 'json', name: 'test', destination }),
    notifier: { extendStart: async (status, ms) => void told.push(`${status} [${ms} ms]`) },
    signal: stop.signal,
    clock,
    random: () => 1,
    ...options,
  });
  return { wait, clock, stop, told, lines };
}

/** Milliseconds of each pause until the time is over. */
async function pausesOf({ wait, clock }: Watched): Promise<number[]> {
  const pauses: number[] = [];
  for (;;) {
    const from = clock.now();
    if (!(await clock.until(wait.pause('the database')))) return pauses;
    pauses.push(clock.now() - from);
  }
}

describe('the pauses of a start', () => {
  test('double up to a minute and end exactly with the time that is given', async () => {
    const pauses = await pausesOf(build({ limitMs: 200_000 }));
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 18_000]);
  });

  test('last hours where hours are given', async () => {
    const pauses = await pausesOf(build());
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBe(6 * 3_600_000);
  });

  test('are half certain and half drawn', async () => {
    expect((await pausesOf(build({ limitMs: 10_000, random: () => 0 }))).slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  });

  test('are told in one line each, to the log and to systemd, which gives the start more time', async () => {
    const watched = build({ limitMs: 5_000 });
    await pausesOf(watched);
    const said = watched.lines.map(({ msg }) => msg);
    expect(said).toEqual([
      'waiting for the database; trying again in 2 s',
      'waiting for the database; trying again in 3 s',
      'waited long enough: giving up',
    ]);
    // More than a pause and the limits of all checks.
    expect(watched.told).toEqual(said.slice(0, 2).map((line) => `${String(line)} [900000 ms]`));
  });

  test('each step of the start has as much time again as the unit gives to the first word', () => {
    const { wait, told } = build({ limitMs: 0 });
    wait.begins('loading the models');
    expect(told).toEqual(['starting: loading the models [900000 ms]']);
  });

  test('are none where none are wanted', async () => {
    const watched = build({ limitMs: 0 });
    expect(await pausesOf(watched)).toEqual([]);
    expect(watched.lines).toEqual([]);
  });

  test('end at once when the start is stopped', async () => {
    const { wait, clock, stop } = build();
    const pause = wait.pause('the database');
    const ended = expect(pause).rejects.toThrow('stopped');
    stop.abort(new Error('stopped'));
    await ended;
    expect(clock.timers).toBe(0);
    await expect(wait.pause('the database')).rejects.toThrow('stopped');
  });
});

describe('an opening after the checks', () => {
  test('is tried again while what it needs is away', async () => {
    const { wait, clock, lines } = build();
    let tries = 0;
    const open = async (): Promise<string> => {
      tries += 1;
      if (tries < 4) throw new Failure('DATABASE_UNAVAILABLE', 'no answer');
      return 'open';
    };
    expect(await clock.until(wait.through('the database', open))).toBe('open');
    expect(lines.map(({ msg }) => msg)[0]).toBe('waiting for the database (no answer); trying again in 2 s');
    expect(clock.now()).toBe(14_000);
  });

  test.each([
    'CREDENTIALS',
    'DATABASE_NOT_MIGRATED',
    'QUEUE_NOT_FOUND',
    'CERTIFICATE',
    'PACK_BROKEN',
    'UNKNOWN',
  ] as const)('fails at once with %s', async (code) => {
    const { wait, clock } = build();
    const open = wait.through('it', () => Promise.reject(new Failure(code, 'no')));
    await expect(open).rejects.toMatchObject({ code });
    expect(clock.now()).toBe(0);
  });

  test('fails with the last failure when the time is over', async () => {
    const { wait, clock } = build({ limitMs: 3_000 });
    const open = wait.through('the queue', () => Promise.reject(new Failure('NETWORK', 'refused')));
    await expect(clock.until(open)).rejects.toMatchObject({ code: 'NETWORK' });
  });
});

describe('stop signals during the start', () => {
  test('the first one ends it, a second one at once', () => {
    const source = new EventEmitter();
    const exits: number[] = [];
    using starting = watchStart(source, silent, (code) => void exits.push(code));
    expect(starting.signal.aborted).toBe(false);
    source.emit('SIGTERM', 'SIGTERM');
    expect(starting.signal.aborted).toBe(true);
    expect(exits).toEqual([]);
    source.emit('SIGINT', 'SIGINT');
    expect(exits).toEqual([0]);
  });

  test('whoever takes over learns of the one that came before, and nobody listens here any more', () => {
    const source = new EventEmitter();
    using starting = watchStart(source, silent, () => undefined);
    source.emit('SIGINT', 'SIGINT');
    expect(starting.release()).toBe('SIGINT');
    expect(source.eventNames()).toEqual([]);
  });
});
