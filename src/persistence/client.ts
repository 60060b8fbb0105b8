import type { Socket } from 'node:net';
import { PrismaPg } from '@prisma/adapter-pg';
import { Pool, type PoolClient } from 'pg';
import { Failure } from '../failure/failure.ts';
import { PrismaClient } from '../generated/prisma/client.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres.ts';

export interface DatabaseOptions {
  /** `postgres://...`, or `pglite:DIR` / `pglite:memory` for an embedded PostgreSQL inside this process. */
  readonly url: string;
  /** The Postgres schema of the worker's tables. */
  readonly schema: string;
  /** Connections at once; 4 when absent. */
  readonly poolSize?: number;
  /** Limit of one statement, in the server and, a little later, in the client; 30,000 when absent. */
  readonly statementTimeoutMs?: number;
  /** Limit of opening a connection or of waiting for a free one; 10,000 when absent. */
  readonly connectTimeoutMs?: number;
}

/** An open database: Prisma for rows, the pool for the migrator, and the limits that every call keeps. */
export interface Database extends AsyncDisposable {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly schema: string;
  readonly statementTimeoutMs: number;
  readonly connectTimeoutMs: number;
  close(): Promise<void>;
}

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
/** The server's own timeout should speak first: it also frees the connection. */
const CLIENT_GRACE_MS = 2_000;

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
  const embedded = options.url.startsWith('pglite:') ? await startEmbedded(options.url) : null;
  const url = embedded?.url ?? checkedUrl(options.url);
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
  const pool = new Pool({
    connectionString: url,
    application_name: 'gpu-video-worker',
    max: options.poolSize ?? 4,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 2 * CLIENT_GRACE_MS,
    // A worker that froze inside a transaction must not keep a video's row locked.
    idle_in_transaction_session_timeout: statementTimeoutMs,
    keepAlive: true,
    // The adapter reads every timestamp as UTC, whatever zone the server answers in.
    options: '-c timezone=UTC',
  });
  // An idle connection that the server closes is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => limitSilence(client, statementTimeoutMs + CLIENT_GRACE_MS));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { schema: options.schema }), errorFormat: 'minimal' });
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
    connectTimeoutMs,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Ends a connection on which nothing was heard for longer than a statement may take (0: never): the other side is gone
 * without a word. A timed-out query alone would leave the dead connection in the pool for the next caller.
 */
export function limitSilence(client: PoolClient, milliseconds: number): void {
  const { stream } = client.connection as unknown as { stream: Socket };
  stream.removeAllListeners('timeout');
  stream.setTimeout(milliseconds, () => stream.destroy(new Error('connection timeout: the database is silent')));
}

async function startEmbedded(url: string): Promise<EmbeddedPostgres> {
  const directory = url.slice('pglite:'.length);
  if (directory === '') throw new Failure('CONFIG_INVALID', 'pglite: needs a folder, or pglite:memory');
  try {
    return await startEmbeddedPostgres(directory);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure('DATABASE_UNAVAILABLE', `the embedded PostgreSQL in ${directory} does not start: ${reason}`, {
      cause: error,
    });
  }
}

/** Drops Prisma's `schema` parameter, which is ours to set, and never repeats the URL: it holds a password. */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new Failure(
      'CONFIG_INVALID',
      'the database URL is not valid: expected postgres://user@host:port/name or pglite:DIR',
    );
  }
  url.searchParams.delete('schema');
  return url.href;
}
