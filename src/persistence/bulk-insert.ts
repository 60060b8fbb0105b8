import { Prisma } from '../generated/prisma/client.ts';
import type { AnalysisRows } from './rows.ts';

/** About 400 KB of JSON: few statements, and no pause of the main thread that a timer would notice. */
const CHUNK_ROWS = 1_000;

/** Parents before children, as the foreign keys ask. */
const TABLES = [
  ['tracks', 'person_tracks'],
  ['observations', 'observations'],
  ['overlaps', 'person_overlaps'],
  ['events', 'action_events'],
  ['scenes', 'scenes'],
] as const satisfies readonly (readonly [keyof AnalysisRows, string])[];

/**
 * Replaces all rows below a video. Rows travel as one JSON parameter per chunk and are taken apart by the table's own
 * row type: `createMany` binds every value on its own, which is several times slower for 20 columns.
 */
export async function replaceRows(
  tx: Prisma.TransactionClient,
  schema: string,
  videoId: string,
  rows: AnalysisRows,
  signal: AbortSignal,
): Promise<void> {
  for (const [, table] of [...TABLES].reverse()) {
    await tx.$executeRaw`DELETE FROM ${tableName(schema, table)} WHERE "video_id" = ${videoId}::uuid`;
  }
  for (const [part, table] of TABLES) {
    const all: readonly object[] = rows[part];
    for (let start = 0; start < all.length; start += CHUNK_ROWS) {
      signal.throwIfAborted();
      await insertChunk(tx, tableName(schema, table), all.slice(start, start + CHUNK_ROWS));
    }
  }
}

async function insertChunk(tx: Prisma.TransactionClient, table: Prisma.Sql, rows: readonly object[]): Promise<void> {
  const fields = Object.keys(rows[0] ?? {});
  const columns = Prisma.raw(fields.map((field) => `"${columnName(field)}"`).join(', '));
  const json = JSON.stringify(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([field, value]) => [columnName(field), value]))),
  );
  await tx.$executeRaw`
    INSERT INTO ${table} (${columns})
    SELECT ${columns} FROM json_populate_recordset(NULL::${table}, ${json}::json)`;
}

/** The qualified name of a table; the schema name was checked when the database was opened. */
export function tableName(schema: string, table: string): Prisma.Sql {
  return Prisma.raw(`"${schema}"."${table}"`);
}

/** `faceX1` -> `face_x1`: the rule behind every `@map` of the Prisma schema. */
export function columnName(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
