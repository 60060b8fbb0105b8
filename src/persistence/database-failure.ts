import { Failure } from '../failure/failure.ts';
import { databaseFacts } from '../failure/sources/broken-rule.ts';
import { databaseAdvice, databaseReason, databaseSignOf } from '../failure/sources/postgres.ts';

/**
 * Turns whatever a call to the database threw into a failure that says what was tried and what can be done. `doing` completes
 * "database: could not ...". A `Failure` passes unchanged.
 */
export function toDatabaseFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error;
  const sign = databaseSignOf(error);
  const code = sign?.code ?? 'UNKNOWN';
  return new Failure(code, `database: could not ${doing}: ${databaseReason(error)}${databaseAdvice(code)}`, {
    cause: error,
    details: sign === null ? {} : databaseFacts(sign.external, error),
  });
}
