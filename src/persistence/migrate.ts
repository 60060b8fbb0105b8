import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PoolClient } from 'pg';
import { Failure } from '../failure/failure.ts';
import type { Database } from './client.ts';
import { databaseCall } from './database-call.ts';
import { toDatabaseFailure } from './database-failure.ts';
import { lackingRights } from './rights.ts';
import { limitSilence } from './session.ts';

/** The same place seen from src/persistence and from dist/persistence. */
const MIGRATIONS = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** Prisma's own lock, so that `prisma migrate deploy` and this migrator wait for each other. */
const ADVISORY_LOCK = 72_707_369;
/** SQLSTATE `insufficient_privilege`. */
const NOT_ALLOWED = '42501';
const LOCK_TIMEOUT = '60s';
const MIGRATION_TIMEOUT_MS = 600_000;

/** As Prisma's schema engine creates it. */
const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, in hex. */
  readonly checksum: string;
}

export interface MigrationStatus {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** What keeps the worker from using or migrating the database, in sentences; empty when nothing does. */
  readonly problems: readonly string[];
  /** What the role of this connection lacks to work on it, such as `INSERT on videos`; told of a database that is up to date. */
  readonly lackingRights?: readonly string[];
}

interface Record {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
  readonly logs: string | null;
}

/** Reads the migrations of a folder in Prisma's layout (`NAME/migration.sql`) in the order of their names. */
export async function readMigrations(directory: string = MIGRATIONS): Promise<Migration[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    return await Promise.all(
      names.sort().map(async (name) => {
        const bytes = await readFile(join(directory, name, 'migration.sql'));
        return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') };
      }),
    );
  } catch (error) {
    throw new Failure(
      'DATABASE_NOT_MIGRATED',
      `the migrations in ${directory} cannot be read; is the install complete?`,
      {
        cause: error,
      },
    );
  }
}

/** Compares the database with the migrations of this worker; changes nothing. */
export async function migrationStatus(
  db: Database,
  signal: AbortSignal,
  directory: string = MIGRATIONS,
): Promise<MigrationStatus> {
  const migrations = await readMigrations(directory);
  return await databaseCall(db, 'read which migrations are applied', signal, async () => {
    const table = `${quote(db.schema)}."_prisma_migrations"`;
    const known = await db.pool.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [table]);
    const records = known.rows[0]?.found === true ? (await db.pool.query<Record>(selectRecords(table))).rows : [];
    return compare(migrations, records);
  });
}

/** The same with what the role lacks: for a worker that is about to use the database, and may be no more than that. */
export async function readiness(db: Database, signal: AbortSignal): Promise<MigrationStatus> {
  const status = await migrationStatus(db, signal);
  if (status.pending.length > 0 || status.problems.length > 0) return status;
  return { ...status, lackingRights: await lackingRights(db, signal) };
}

/**
 * Brings the database to this worker's schema and returns the names that were applied; idempotent, and safe when
 * several workers start at once. Each migration and its bookkeeping row are one transaction: a migration that fails
 * leaves nothing behind. Throws `Failure('DATABASE_NOT_MIGRATED')` for one that failed, was edited, is not ours, or that this role may
 * not apply.
 */
export async function migrateDatabase(
  db: Database,
  signal: AbortSignal,
  directory: string = MIGRATIONS,
): Promise<readonly string[]> {
  // A role with least rights may read how it stands and no more: where nothing is to be done, it need not.
  const { pending, problems } = await migrationStatus(db, signal, directory);
  if (problems.length > 0) throw new Failure('DATABASE_NOT_MIGRATED', problems.join('; '));
  if (pending.length === 0) return [];
  const migrations = await readMigrations(directory);
  const applied: string[] = [];
  for (;;) {
    const name = await databaseCall(
      db,
      'apply the migrations',
      signal,
      () => applyNext(db, migrations),
      db.connectTimeoutMs + MIGRATION_TIMEOUT_MS,
    ).catch((error: unknown) => throwMayNot(error, pending));
    if (name === null) return applied;
    applied.push(name);
  }
}

/** The owner of the schema migrates; whom it has granted no more than the tables may not. */
function throwMayNot(error: unknown, pending: readonly string[]): never {
  if (!(error instanceof Failure) || error.details['external'] !== NOT_ALLOWED) throw error;
  throw new Failure(
    'DATABASE_NOT_MIGRATED',
    `this role may not migrate, and ${pending.length} migration(s) are missing (${pending.join(', ')}): run \`video-worker db migrate\` with the DATABASE_URL of the schema's owner, then prisma/roles/worker.sql`,
    { cause: error, details: error.details },
  );
}

/** Applies the first pending migration and returns its name, or null when there is none. */
async function applyNext(db: Database, migrations: readonly Migration[]): Promise<string | null> {
  const client = await db.pool.connect();
  let broken: Error | undefined;
  // A connection that is lost while it is checked out reports to nobody else, and would end the process.
  const onLost = (error: Error): void => {
    broken = error;
  };
  client.on('error', onLost);
  limitSilence(client, MIGRATION_TIMEOUT_MS);
  try {
    await client.query('BEGIN');
    const name = await applyNextInTransaction(client, db.schema, migrations);
    await client.query('COMMIT');
    return name;
  } catch (error) {
    try {
      await client.query('ROLLBACK');
    } catch (rollbackError) {
      broken = rollbackError instanceof Error ? rollbackError : new Error('rollback failed', { cause: rollbackError });
    }
    throw error;
  } finally {
    client.off('error', onLost);
    // Not back into the pool: it was given a migration's time limit.
    client.release(broken ?? true);
  }
}

async function applyNextInTransaction(
  client: PoolClient,
  schema: string,
  migrations: readonly Migration[],
): Promise<string | null> {
  await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
  await client.query(`SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT_MS}`);
  await client.query(patient(`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`));
  // CREATE SCHEMA IF NOT EXISTS asks for the right to create one even where it is there.
  const found = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (found.rows.length === 0) await client.query(`CREATE SCHEMA ${quote(schema)}`);
  await client.query(`SET LOCAL search_path TO ${quote(schema)}`);
  await client.query(BOOKKEEPING);
  const status = compare(migrations, (await client.query<Record>(selectRecords('"_prisma_migrations"'))).rows);
  if (status.problems.length > 0) throw new Failure('DATABASE_NOT_MIGRATED', status.problems.join('; '));
  const next = migrations.find((migration) => migration.name === status.pending[0]);
  if (next === undefined) return null;
  const startedAt = new Date();
  try {
    await client.query(patient(next.sql));
  } catch (error) {
    const failure = toDatabaseFailure(error, `apply migration ${next.name}`);
    // The database went away or was locked: nothing is wrong with the migration.
    const rowsInTheWay = String(failure.details['external']).startsWith('23');
    const away = failure.code === 'DATABASE_UNAVAILABLE' || (failure.code === 'DATABASE_CONFLICT' && !rowsInTheWay);
    if (away) throw failure;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure('DATABASE_NOT_MIGRATED', `migration ${next.name} failed and was rolled back: ${reason}`, {
      cause: error,
    });
  }
  await client.query(
    `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "started_at", "applied_steps_count")
     VALUES ($1, $2, clock_timestamp(), $3, $4, 1)`,
    [randomUUID(), next.checksum, next.name, startedAt],
  );
  return next.name;
}

/** A query with the limit of a migration instead of the pool's; the driver reads the field, its types do not know it. */
function patient(text: string): { readonly text: string } {
  const query = { text, query_timeout: MIGRATION_TIMEOUT_MS };
  return query;
}

function selectRecords(table: string): string {
  return `SELECT "migration_name", "checksum", "finished_at", "logs" FROM ${table}
          WHERE "rolled_back_at" IS NULL ORDER BY "migration_name", "started_at"`;
}

function compare(migrations: readonly Migration[], records: readonly Record[]): MigrationStatus {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  const finished = new Set(records.filter((r) => r.finished_at !== null).map((r) => r.migration_name));
  const problems = records.flatMap((record) => {
    const name = record.migration_name;
    const migration = byName.get(name);
    if (record.finished_at === null && !finished.has(name)) {
      const logs = record.logs === null ? '' : ` (${record.logs.trim().split('\n')[0]})`;
      return [`migration ${name} began and did not end${logs}: repair the database, then \`prisma migrate resolve\``];
    }
    if (migration === undefined) return [`migration ${name} is not known here: the database is newer than this worker`];
    if (migration.checksum !== record.checksum && record.finished_at !== null) {
      return [`migration ${name} was edited after it had been applied: restore the file and add a new migration`];
    }
    return [];
  });
  return {
    applied: migrations.filter((m) => finished.has(m.name)).map((m) => m.name),
    pending: migrations.filter((m) => !finished.has(m.name)).map((m) => m.name),
    problems,
  };
}

function quote(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`;
}
