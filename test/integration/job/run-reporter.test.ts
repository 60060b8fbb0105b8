import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { openDatabase, type Database } from '../../../src/persistence/client.ts';
import { migrateDatabase } from '../../../src/persistence/migrate.ts';
import { claimRun } from '../../../src/persistence/claim-run.ts';
import { completeRun } from '../../../src/persistence/complete-run.ts';
import { createRunReporter } from '../../../src/job/run-reporter.ts';
import { sampleAnalysis } from '../../harness/analysis-sample.ts';
import { claimRequest, signal, startedRun } from '../persistence/databases.ts';
import { startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { aborted } from '../../harness/worker-events.ts';

let postgres: TestPostgres;
let database: Database;

beforeAll(async () => {
  postgres = await startPostgres();
  // One connection: what is told waits behind a commit, and whatever was sent before a query is answered before it.
  database = await openDatabase({ url: postgres.url, schema: 'reporter', poolSize: 1 });
  await migrateDatabase(database, signal());
});
afterAll(async () => {
  await database?.close();
  await postgres?.stop();
});

test('a run that another worker has taken over ends as superseded, not as an unknown error', async () => {
  // Alive for no time at all: the next claim takes it over.
  const request = claimRequest({ worker: 'slow', aliveSeconds: 0 });
  const slow = await claimRun(database, request, signal());
  const quick = await claimRun(database, { ...request, worker: 'quick', aliveSeconds: 60 }, signal());
  if (slow.kind !== 'started' || quick.kind !== 'started') throw new Error('both claims must start a run');
  const logger = pino({ level: 'silent' });
  await using reporter = createRunReporter({ database, run: slow.run, aliveSeconds: 60, logger });
  reporter.report({ percent: 50, stage: 'analysis' });
  await expect(aborted(reporter.signal)).resolves.toMatchObject({ code: 'RUN_SUPERSEDED', class: 'temporary' });
});

test('what is told around the commit cannot end the run that commits: it is written before it or not at all', async () => {
  const run = await startedRun(database, claimRequest({ aliveSeconds: 60 }));
  const logger = pino({ level: 'silent' });
  // Signs of life every millisecond: some of them wait behind the commit on the one connection.
  await using reporter = createRunReporter({ database, run, aliveSeconds: 0.003, logger });
  reporter.report({ percent: 98, stage: 'frames' });
  reporter.report({ percent: 99, stage: 'frames' });
  await reporter.ending(async () => {
    const commit = completeRun(database, run, sampleAnalysis(), { highlightsBucket: null }, signal());
    reporter.report({ percent: 99, stage: 'frames' });
    await commit;
  });
  reporter.report({ percent: 99, stage: 'late' });
  await reporter[Symbol.asyncDispose]();
  // One connection: whatever was sent before this is answered before this.
  expect(await database.prisma.video.findUnique({ where: { id: run.videoId } })).toMatchObject({
    status: 'completed',
    progress: 100,
    stage: null,
  });
  expect(reporter.signal.aborted).toBe(false);
});

test('a percentage that was told never goes back', async () => {
  const run = await startedRun(database, claimRequest({ aliveSeconds: 60 }));
  await using reporter = createRunReporter({ database, run, aliveSeconds: 60, logger: pino({ level: 'silent' }) });
  reporter.report({ percent: 7, stage: 'probe' });
  reporter.report({ percent: 0, stage: 'frames' });
  const stored = () => database.prisma.video.findUniqueOrThrow({ where: { id: run.videoId } });
  let video = await stored();
  while (video.stage !== 'frames') video = await stored();
  expect(video.progress).toBe(7);
});
