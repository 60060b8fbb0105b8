import { tableName } from './bulk-insert.ts';
import type { Run } from './claim-run.ts';
import type { Database } from './client.ts';
import { databaseCall } from './database-call.ts';

/** Prolongs the run's life from now on; false when another run has taken over or this one is finished. */
export async function keepAlive(db: Database, run: Run, aliveSeconds: number, signal: AbortSignal): Promise<boolean> {
  return await databaseCall(db, 'keep the run alive', signal, async () => {
    const count = await db.prisma.$executeRaw`
      UPDATE ${tableName(db.schema, 'analysis_runs')}
      SET "alive_until" = clock_timestamp() + make_interval(secs => ${aliveSeconds}::float8)
      WHERE "id" = ${run.runId}::uuid AND "outcome" = 'running'`;
    return count === 1;
  });
}
