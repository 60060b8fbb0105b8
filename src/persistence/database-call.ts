import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Database } from './client.ts';
import { toDatabaseFailure } from './database-failure.ts';
import { beginLimits } from './session.ts';

/** Statements of one call that may each take their full time before the client gives up on the whole call. */
const STATEMENTS_PER_CALL = 4;

/**
 * Runs one call to the database under the signal and a limit. The signal's reason comes out as it is when it is an
 * interruption; everything else comes out as a `Failure` that keeps its cause. `doing` completes "could not ...".
 */
export async function databaseCall<T>(
  db: Database,
  doing: string,
  signal: AbortSignal,
  work: () => Promise<T>,
  limitMs: number = db.connectTimeoutMs + db.statementTimeoutMs * STATEMENTS_PER_CALL,
): Promise<T> {
  const settled = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(abortReason(signal, doing));
  try {
    if (signal.aborted) throw abortReason(signal, doing);
    signal.addEventListener('abort', onAbort, { once: true });
    const limit = sleep(limitMs, undefined, { signal: settled.signal, ref: false }).then(
      () => {
        throw new Failure('DATABASE_UNAVAILABLE', `database: could not ${doing}: no answer within ${limitMs} ms`);
      },
      () => new Promise<never>(() => undefined),
    );
    return await Promise.race([work(), aborted.promise, limit]);
  } catch (error) {
    throw signal.aborted && error === signal.reason ? abortReason(signal, doing) : toDatabaseFailure(error, doing);
  } finally {
    signal.removeEventListener('abort', onAbort);
    settled.abort();
  }
}

/**
 * The same for several statements in one transaction. Rolled back when `work` throws, and when the signal fires before
 * the commit is sent: an aborted call that was given up on must not commit behind its caller's back.
 */
export async function databaseTransaction<T>(
  db: Database,
  doing: string,
  signal: AbortSignal,
  work: (tx: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  return await databaseCall(db, doing, signal, () =>
    db.prisma.$transaction(
      async (tx) => {
        await beginLimits(tx, db.limits);
        const result = await work(tx);
        if (signal.aborted) throw abortReason(signal, doing);
        return result;
      },
      { maxWait: db.connectTimeoutMs, timeout: db.statementTimeoutMs * STATEMENTS_PER_CALL },
    ),
  );
}

function abortReason(signal: AbortSignal, doing: string): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    return new Failure('DATABASE_UNAVAILABLE', `database: could not ${doing} in the time given`, { cause: reason });
  }
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
