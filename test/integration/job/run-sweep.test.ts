import { once } from 'node:events';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { startSweep } from '../../../src/job/run-sweep.ts';
import { claimRun } from '../../../src/persistence/claim-run.ts';
import { keepAlive } from '../../../src/persistence/keep-alive.ts';
import { openDatabase, type Database } from '../../../src/persistence/client.ts';
import { migrateDatabase } from '../../../src/persistence/migrate.ts';
import { HandClock } from '../../harness/hand-clock.ts';
import { startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { claimRequest, signal, startedRun } from '../persistence/databases.ts';

const limits = { graceSeconds: 0, pendingSeconds: 1_000, worker: 'sweeper', intervalMs: 60_000 };
let postgres: TestPostgres;
let schemas = 0;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());

/** A schema of its own, with nothing in it. */
async function emptyDatabase(): Promise<Database> {
  schemas += 1;
  return await openDatabase({ url: postgres.url, schema: `swept_${schemas}` });
}

test('runs of dead workers are ended at the start and again after every pause, and a failed sweep ends nothing', async () => {
  await using database = await emptyDatabase();
  const clock = new HandClock();
  const swept = new EventTarget();
  const lines: string[] = [];
  const logger = pino(
    new Writable({
      write(chunk: Buffer, _, done) {
        lines.push(chunk.toString());
        swept.dispatchEvent(new Event('line'));
        done();
      },
    }),
  );
  const failed = once(swept, 'line');
  const tidy = async (): Promise<void> => void swept.dispatchEvent(new Event('tidied'));
  await using sweep = startSweep({ ...limits, database, logger, clock, tidy });
  await failed;
  expect(lines[0]).toContain('the sweep failed');

  await migrateDatabase(database, signal());
  const claim = await claimRun(database, claimRequest({ aliveSeconds: 0 }), signal());
  const tidied = once(swept, 'tidied');
  await clock.advance(limits.intervalMs);
  await tidied;
  expect(claim.kind).toBe('started');
  expect(await database.prisma.analysisRun.findMany({ select: { outcome: true, failureCode: true } })).toEqual([
    { outcome: 'failed', failureCode: 'WORKER_LOST' },
  ]);
  await sweep[Symbol.asyncDispose]();
  expect(clock.timers).toBe(0);
});

test('a run that is under way is looked at when its life would be over, not only after the usual pause', async () => {
  await using database = await emptyDatabase();
  await migrateDatabase(database, signal());
  await claimRun(database, claimRequest({ aliveSeconds: 30 }), signal());
  const clock = new HandClock();
  const swept = new EventTarget();
  const tidy = async (): Promise<void> => void swept.dispatchEvent(new Event('tidied'));
  const first = once(swept, 'tidied');
  const paused = Promise.withResolvers<number>();
  const watched = {
    now: () => clock.now(),
    after: (ms: number, work: () => void) => {
      if (ms <= 60_000) paused.resolve(ms);
      return clock.after(ms, work);
    },
  };
  await using _sweep = startSweep({ ...limits, database, logger: pino({ level: 'silent' }), clock: watched, tidy });
  await first;
  const pauseMs = await paused.promise;
  expect(pauseMs).toBeGreaterThan(20_000);
  expect(pauseMs).toBeLessThanOrEqual(31_000);
});

test('a run that looks dead because nobody could write is given time to show that it is not', async () => {
  await using database = await emptyDatabase();
  await migrateDatabase(database, signal());
  const run = await startedRun(database, claimRequest({ aliveSeconds: 0 }));
  const clock = new HandClock();
  const swept = new EventTarget();
  const tidy = async (): Promise<void> => void swept.dispatchEvent(new Event('tidied'));
  const listens = Promise.withResolvers<void>();
  const watched = {
    now: () => clock.now(),
    after: (ms: number, work: () => void) => {
      if (ms === 20_000) listens.resolve();
      return clock.after(ms, work);
    },
  };
  const logger = pino({ level: 'silent' });
  const tidied = once(swept, 'tidied');
  await using _sweep = startSweep({ ...limits, listenMs: 20_000, database, logger, clock: watched, tidy });
  await listens.promise;
  expect(await keepAlive(database, run, 60, signal())).toBe(true);
  await clock.advance(20_000);
  await tidied;
  expect(await database.prisma.analysisRun.findMany({ select: { outcome: true } })).toEqual([{ outcome: 'running' }]);
});
