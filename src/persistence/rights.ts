import type { Database } from './client.ts';
import { databaseCall } from './database-call.ts';

/** A right of the database's role, as `has_table_privilege` and its like name it. */
export interface Right {
  readonly kind: 'table' | 'column' | 'sequence';
  readonly name: string;
  readonly privilege: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'USAGE';
  /** Of a right to some columns alone. */
  readonly column?: string;
}

const of = (kind: 'table' | 'sequence', name: string, ...privileges: readonly Right['privilege'][]): Right[] =>
  privileges.map((privilege) => ({ kind, name, privilege }));

const FINDINGS = ['person_track_rows', 'observation_rows', 'person_overlap_rows', 'action_event_rows', 'scene_rows'];
const NUMBERED = ['observations', 'person_overlaps', 'action_events', 'scenes', 'error_events'];

/** All that a worker and its commands do to the tables: what `prisma/roles/worker.sql` grants, no less and no more. */
export const WORKER_RIGHTS: readonly Right[] = [
  ...of('table', '_prisma_migrations', 'SELECT'),
  ...of('table', 'videos', 'SELECT', 'INSERT', 'UPDATE', 'DELETE'),
  ...of('table', 'video_ids', 'SELECT', 'INSERT', 'UPDATE'),
  ...of('table', 'analysis_runs', 'SELECT', 'INSERT', 'UPDATE'),
  ...FINDINGS.flatMap((name) => of('table', name, 'SELECT', 'INSERT', 'DELETE')),
  ...['highlight_bucket', 'highlight_key'].map(
    (column) => ({ kind: 'column', name: 'action_event_rows', privilege: 'UPDATE', column }) as const,
  ),
  ...of('table', 'error_events', 'SELECT', 'INSERT'),
  { kind: 'column', name: 'error_events', privilege: 'UPDATE', column: 'video_id' },
  ...NUMBERED.flatMap((name) => of('sequence', `${name}_id_seq`, 'USAGE')),
];

/**
 * What the role of this connection may not do and a worker has to, such as `INSERT on videos`; empty where nothing is missing. The tables
 * are there: a database that is not migrated is told before.
 */
export async function lackingRights(db: Database, signal: AbortSignal): Promise<readonly string[]> {
  return await databaseCall(db, 'read the rights of the role', signal, async () => {
    // Of a sequence either right lets a row take the next number: a role that writes all data has the other.
    const { rows } = await db.pool.query<{ lacking: string }>(
      `SELECT "privilege" || ' on ' || "name" || COALESCE(' (' || "column" || ')', '') AS "lacking"
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS r("kind", "name", "privilege", "column", "place")
       WHERE NOT CASE "kind"
         WHEN 'sequence' THEN has_sequence_privilege($1 || '.' || quote_ident("name"), "privilege" || ', UPDATE')
         WHEN 'column' THEN has_column_privilege($1 || '.' || quote_ident("name"), "column", "privilege")
         ELSE has_table_privilege($1 || '.' || quote_ident("name"), "privilege") END
       ORDER BY "place"`,
      [
        `"${db.schema}"`,
        WORKER_RIGHTS.map(({ kind }) => kind),
        WORKER_RIGHTS.map(({ name }) => name),
        WORKER_RIGHTS.map(({ privilege }) => privilege),
        WORKER_RIGHTS.map(({ column }) => column ?? null),
      ],
    );
    return rows.map(({ lacking }) => lacking);
  });
}
