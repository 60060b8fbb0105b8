import { qualified } from './bulk-insert.ts';
import type { Database } from './client.ts';
import { databaseCall } from './database-call.ts';
import { FINDING_TABLES } from './row-chunks.ts';

/** Rows deleted by one statement: as many as keep it short, also on a slow disk. */
const BATCH_ROWS = 2_000;

/**
 * Deletes the rows of a run that has ended and is not what readers see, in short statements, and tells how many they were.
 * A run under way and a shown one are left alone, whoever asks. May be stopped at any point and done again.
 */
export async function discardRows(db: Database, runId: string, signal: AbortSignal): Promise<number> {
  const runs = qualified(db.schema, 'analysis_runs');
  const unseen = `SELECT r."id" FROM ${runs} r JOIN ${qualified(db.schema, 'videos')} v ON v."id" = r."video_id"
    WHERE r."id" = $1::uuid AND r."outcome" <> 'running' AND v."result_run_id" IS DISTINCT FROM r."id"`;
  let deleted = 0;
  for (const { table: name, column, lowest, type } of FINDING_TABLES) {
    const table = qualified(db.schema, name);
    // From where the last batch ended, along an index: from the beginning, each would pass all that are deleted already.
    let from: string = lowest;
    for (;;) {
      const batch = await databaseCall(db, 'delete rows that nobody sees', signal, () =>
        db.pool.query<{ rows: number; last: string | null }>(
          `WITH "gone" AS (
             DELETE FROM ${table} WHERE "ctid" = ANY (ARRAY(
               SELECT "ctid" FROM ${table} WHERE "run_id" = (${unseen}) AND "${column}" >= $2::${type}
               ORDER BY "run_id", "${column}" LIMIT ${BATCH_ROWS}))
             RETURNING "${column}")
           SELECT count(*)::int AS "rows", max("${column}")::text AS "last" FROM "gone"`,
          [runId, from],
        ),
      );
      const { rows = 0, last = null } = batch.rows[0] ?? {};
      deleted += rows;
      from = last ?? from;
      // Not at the first short batch: another worker may be deleting the same rows.
      if (rows === 0) break;
    }
  }
  await databaseCall(db, 'delete rows that nobody sees', signal, () =>
    db.pool.query(`UPDATE ${runs} SET "staged_rows" = 0 WHERE "id" IN (${unseen})`, [runId]),
  );
  return deleted;
}

/**
 * Deletes what ended runs have left and nobody sees: rows of runs that did not come to their end, and of results that
 * another one has replaced. Of one video, or of all; tells how many rows they were.
 */
export async function discardUnseenRows(db: Database, videoId: string | null, signal: AbortSignal): Promise<number> {
  const { rows } = await databaseCall(db, 'look for rows that nobody sees', signal, () =>
    db.pool.query<{ id: string }>(
      `SELECT "id" FROM ${qualified(db.schema, 'analysis_runs')}
       WHERE "staged_rows" > 0 AND "outcome" <> 'running' AND ($1::uuid IS NULL OR "video_id" = $1::uuid)
       ORDER BY "started_at"`,
      [videoId],
    ),
  );
  let deleted = 0;
  for (const { id } of rows) deleted += await discardRows(db, id, signal);
  return deleted;
}
