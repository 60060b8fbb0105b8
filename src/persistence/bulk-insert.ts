import { Prisma } from '../generated/prisma/client.ts';
import type { Run } from './claim-run.ts';
import type { Database } from './client.ts';
import type { RowChunk } from './row-chunks.ts';

/**
 * Stores one chunk as rows of the run, as one statement that is also its own fence: it counts the run's rows on, which
 * works only for a run that is under way, under its token, and exactly where the count stands at `from`. So a chunk whose
 * answer was lost, or that the server is still busy with, is never stored twice. False when nothing was stored.
 *
 * The rows travel as one JSON parameter and are taken apart by the table's own row type. Arrays per column (UNNEST) are a
 * little faster, but know no arrays of arrays; COPY is, too, but takes no condition and no embedded database. Past Prisma, which would copy
 * the text twice more.
 */
export async function insertChunk(db: Database, run: Run, chunk: RowChunk, from: number): Promise<boolean> {
  const columns = chunk.columns.map((column) => `"${column}"`).join(', ');
  const table = qualified(db.schema, chunk.table);
  const result = await db.pool.query(
    `WITH "held" AS (
       UPDATE ${qualified(db.schema, 'analysis_runs')} r SET "staged_rows" = $4::int
       WHERE "id" = $1::uuid AND "outcome" = 'running' AND "staged_rows" = $3::int
         AND EXISTS (SELECT 1 FROM ${qualified(db.schema, 'videos')} v WHERE v."id" = r."video_id" AND v."fencing_token" = $5::int)
       RETURNING "id" AS "run")
     INSERT INTO ${table} ("run_id", ${columns})
     SELECT "run", ${columns} FROM "held", json_populate_recordset(NULL::${table}, $2::json)`,
    [run.runId, chunk.json, from, from + chunk.rows, run.token],
  );
  return result.rowCount === chunk.rows;
}

/** The qualified name of a table; the schema name was checked when the database was opened. */
export function tableName(schema: string, table: string): Prisma.Sql {
  return Prisma.raw(qualified(schema, table));
}

/** The same as plain text, for statements that do not go through Prisma. */
export function qualified(schema: string, table: string): string {
  return `"${schema}"."${table}"`;
}

/** `faceX1` -> `face_x1`: the rule behind every `@map` of the Prisma schema. */
export function columnName(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
