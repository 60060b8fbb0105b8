import { columnName } from './bulk-insert.ts';
import type { AnalysisRows } from './rows.ts';

/** Bounds of one statement: building one takes a millisecond or two, and storing it a few hundredths of a second. */
export interface ChunkLimits {
  readonly rows: number;
  /** UTF-16 units of JSON; a single row that is longer goes alone. */
  readonly characters: number;
}

/**
 * Larger ones are hardly faster on a server, where the keys and indexes of the rows decide, and the embedded database
 * works in this process: what a statement takes there is a pause of everything.
 */
export const CHUNK_LIMITS: ChunkLimits = { rows: 250, characters: 131_072 };

/** Rows of one table for one statement. */
export interface RowChunk {
  readonly table: string;
  readonly columns: readonly string[];
  /** A JSON array of objects with the columns as names. */
  readonly json: string;
  readonly rows: number;
}

/** Parents before children, as the foreign keys ask. */
const TABLES = [
  ['tracks', 'person_track_rows'],
  ['observations', 'observation_rows'],
  ['overlaps', 'person_overlap_rows'],
  ['events', 'action_event_rows'],
  ['scenes', 'scene_rows'],
] as const satisfies readonly (readonly [keyof AnalysisRows, string])[];

/** The tables, children before parents, each with the column after the run's in one of its indexes: the order of deleting. */
export const FINDING_TABLES = [
  { table: 'scene_rows', column: 'seconds', lowest: '-infinity', type: 'float8' },
  { table: 'action_event_rows', column: 'start_seconds', lowest: '-infinity', type: 'float8' },
  { table: 'person_overlap_rows', column: 'frame_index', lowest: '-2147483648', type: 'int4' },
  { table: 'observation_rows', column: 'frame_index', lowest: '-2147483648', type: 'int4' },
  { table: 'person_track_rows', column: 'track', lowest: '-2147483648', type: 'int4' },
] as const;

/** The rows in pieces, made one by one as they are asked for; the same rows and limits give the same pieces. */
export function* rowChunks(rows: AnalysisRows, limits: ChunkLimits = CHUNK_LIMITS): Generator<RowChunk> {
  for (const [part, table] of TABLES) yield* tableChunks(table, rows[part], limits);
}

function* tableChunks(table: string, rows: Iterable<object>, limits: ChunkLimits): Generator<RowChunk> {
  let columns: ReadonlyMap<string, string> = new Map();
  let texts: string[] = [];
  let characters = 0;
  const chunk = (): RowChunk => ({
    table,
    columns: [...columns.values()],
    json: `[${texts.join(',')}]`,
    rows: texts.length,
  });
  for (const row of rows) {
    if (columns.size === 0) columns = new Map(Object.keys(row).map((field) => [field, columnName(field)]));
    const text = JSON.stringify(named(row, columns));
    if (texts.length > 0 && (texts.length === limits.rows || characters + text.length > limits.characters)) {
      yield chunk();
      texts = [];
      characters = 0;
    }
    texts.push(text);
    characters += text.length;
  }
  if (texts.length > 0) yield chunk();
}

function named(row: object, columns: ReadonlyMap<string, string>): object {
  const values = row as Readonly<Record<string, unknown>>;
  const out: Record<string, unknown> = {};
  for (const [field, column] of columns) out[column] = values[field];
  return out;
}
