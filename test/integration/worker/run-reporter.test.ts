import { expect, test } from '@jest/globals';
import pino from 'pino';
import { openDatabase } from '../../../src/persistence/client.ts';
import { migrateDatabase } from '../../../src/persistence/migrate.ts';
import { claimRun } from '../../../src/persistence/runs.ts';
import { createRunReporter } from '../../../src/worker/run-reporter.ts';
import { claimRequest, signal } from '../persistence/databases.ts';
import { aborted } from './rig.ts';

test('a run that another worker has taken over ends as superseded, not as an unknown error', async () => {
  const database = await openDatabase({ url: 'pglite:memory', schema: 'reporter' });
  try {
    await migrateDatabase(database, signal());
    // Alive for no time at all: the next claim takes it over.
    const request = claimRequest({ worker: 'slow', aliveSeconds: 0 });
    const slow = await claimRun(database, request, signal());
    const quick = await claimRun(database, { ...request, worker: 'quick', aliveSeconds: 60 }, signal());
    if (slow.kind !== 'started' || quick.kind !== 'started') throw new Error('both claims must start a run');
    const logger = pino({ level: 'silent' });
    await using reporter = createRunReporter({ database, run: slow.run, aliveSeconds: 60, logger });
    reporter.report({ percent: 50, stage: 'analysis' });
    await expect(aborted(reporter.signal)).resolves.toMatchObject({ code: 'RUN_SUPERSEDED', class: 'temporary' });
  } finally {
    await database.close();
  }
});
