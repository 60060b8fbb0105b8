import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool, type PoolClient } from 'pg';
import { Failure } from '../failure/failure.ts';
import { PrismaClient } from '../generated/prisma/client.ts';
import { connectionUrl } from './connection-url.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { beginSession, CLIENT_GRACE_MS, type SessionLimits } from './session.ts';
import { readZones, ZonedPrismaPg } from './zoned-times.ts';

export interface DatabaseOptions {
  /** `postgres://...`, or `pglite:DIR` / `pglite:memory` for an embedded PostgreSQL inside this process. */
  readonly url: string;
  /** The Postgres schema of the worker's tables. */
  readonly schema: string;
  /** Connections at once; 4 when absent. */
  readonly poolSize?: number;
  /** Limit of one statement, in the server and, a little later, in the client; the URL's `statement_timeout`, or 30,000, when absent. */
  readonly statementTimeoutMs?: number;
  /** Limit of opening a connection or of waiting for a free one; 10,000 when absent. */
  readonly connectTimeoutMs?: number;
  /** Nothing is made: an embedded database that is not there yet looks like one that is empty. */
  readonly onlyLooks?: boolean;
}

/** An open database: Prisma for rows, the pool for the migrator, and the limits that every call keeps. */
export interface Database extends AsyncDisposable {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly schema: string;
  readonly statementTimeoutMs: number;
  readonly limits: SessionLimits;
  readonly connectTimeoutMs: number;
  close(): Promise<void>;
}

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * Opens a database. No connection is made to a `postgres://` server yet (the first call does, and says what is
 * wrong); an embedded one is started. Throws `Failure('CONFIG_INVALID')` on a URL or schema that cannot be.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  if (!SCHEMA_NAME.test(options.schema) || options.schema.startsWith('pg_')) {
    throw new Failure(
      'CONFIG_INVALID',
      `database schema "${options.schema}" is not a name that works: use lower-case letters, digits and _, not pg_...`,
    );
  }
  const embedded = options.url.startsWith('pglite:') ? await startEmbedded(options) : null;
  const { href, limits: asked } = connectionUrl(embedded?.url ?? options.url);
  const statementTimeoutMs = options.statementTimeoutMs ?? asked.statementMs ?? 30_000;
  const limits: SessionLimits = {
    statementMs: statementTimeoutMs,
    idleInTransactionMs: asked.idleInTransactionMs ?? statementTimeoutMs,
    lockMs: asked.lockMs,
  };
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
  const pool = new Pool({
    connectionString: href,
    application_name: 'gpu-video-worker',
    max: options.poolSize ?? 4,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    query_timeout: statementTimeoutMs + 2 * CLIENT_GRACE_MS,
    keepAlive: true,
    // Before its first use, and not with it: whoever waits for the connection gets it when this is done, or its failure.
    verify: (client, done) => {
      void setUp(client, limits, done);
    },
  });
  // An idle connection that the server closes is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', readZones);
  const adapter = new ZonedPrismaPg(pool, { schema: options.schema });
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' });
  const close = async (): Promise<void> => {
    try {
      await prisma.$disconnect();
      await pool.end();
    } finally {
      await embedded?.close();
    }
  };
  return {
    prisma,
    pool,
    schema: options.schema,
    statementTimeoutMs,
    limits,
    connectTimeoutMs,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function setUp(client: PoolClient, limits: SessionLimits, done: (error?: Error) => void): Promise<void> {
  // The pool does not listen while a connection is handed over: one that breaks meanwhile would end the process.
  client.on('error', () => undefined);
  let failed: Error | undefined;
  try {
    await beginSession(client, limits);
  } catch (error) {
    failed = error instanceof Error ? error : new Error('a new connection could not be set up', { cause: error });
  }
  done(failed);
}

async function startEmbedded({ url, onlyLooks = false }: DatabaseOptions): Promise<EmbeddedPostgres> {
  const directory = url.slice('pglite:'.length);
  if (directory === '') throw new Failure('CONFIG_INVALID', 'pglite: needs a folder, or pglite:memory');
  try {
    return await startEmbeddedPostgres(onlyLooks && !(await isMade(directory)) ? 'memory' : directory);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure('DATABASE_UNAVAILABLE', `the embedded PostgreSQL in ${directory} does not start: ${reason}`, {
      cause: error,
    });
  }
}

/** Whether there is a database in the folder. One that cannot be looked into says so when it is opened. */
async function isMade(directory: string): Promise<boolean> {
  return await lstat(join(directory, 'PG_VERSION')).then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
  );
}
