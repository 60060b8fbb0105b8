import type { Socket } from 'node:net';
import type { PoolClient } from 'pg';
import type { Prisma } from '../generated/prisma/client.ts';

export interface SessionLimits {
  readonly statementMs: number;
  /** A worker that froze inside of a transaction must not keep a video's row locked. */
  readonly idleInTransactionMs: number;
  /** Null: as long as a statement may take. */
  readonly lockMs: number | null;
}

/** The server's own timeout should speak first: it also frees the connection. */
export const CLIENT_GRACE_MS = 2_000;

/**
 * Makes a new connection the worker's, before anybody gets it. As statements, not with the startup of the connection: a pooler refuses
 * startup parameters that it does not know. They win over what the URL's own `options` ask for.
 */
export async function beginSession(client: PoolClient, limits: SessionLimits): Promise<void> {
  limitSilence(client, limits.statementMs + CLIENT_GRACE_MS);
  await client.query(
    `SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET statement_timeout = ${limits.statementMs};` +
      ` SET idle_in_transaction_session_timeout = ${limits.idleInTransactionMs}` +
      (limits.lockMs === null ? '' : `; SET lock_timeout = ${limits.lockMs}`),
  );
}

/**
 * Sets the limits for one transaction. A pooler in transaction mode hands each transaction another server connection, which knows nothing of
 * what was set on the one before.
 */
export async function beginLimits(tx: Prisma.TransactionClient, limits: SessionLimits): Promise<void> {
  await tx.$executeRaw`
    SELECT set_config('statement_timeout', ${String(limits.statementMs)}, true),
      set_config('idle_in_transaction_session_timeout', ${String(limits.idleInTransactionMs)}, true)`;
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
