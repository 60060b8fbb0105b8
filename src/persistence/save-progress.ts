import { tableName } from './bulk-insert.ts';
import type { Run } from './claim-run.ts';
import type { Database } from './client.ts';
import { databaseCall } from './database-call.ts';

/** Shows how far the run is (percent 0..100, shown as at most 99); false when the run may not write any more. */
export async function saveProgress(
  db: Database,
  run: Run,
  progress: { readonly percent: number; readonly stage: string },
  signal: AbortSignal,
): Promise<boolean> {
  const percent = Math.min(99, Math.max(0, Math.floor(progress.percent)));
  return await databaseCall(db, 'save the progress', signal, async () => {
    const count = await db.prisma.$executeRaw`
      UPDATE ${tableName(db.schema, 'videos')}
      SET "progress" = ${percent}, "stage" = ${progress.stage}, "updated_at" = clock_timestamp()
      WHERE "id" = ${run.videoId}::uuid AND "fencing_token" = ${run.token} AND "status" = 'processing'`;
    return count === 1;
  });
}
