import type { FailureCode } from '../../failure/codes.ts';
import { areCredentialsAbsent } from '../../failure/sources/credentials.ts';
import type { Failure } from '../../failure/failure.ts';

/** Of these somebody else is the reason. Not UNKNOWN: what no rule knows may be a mistake that waiting would only hide. */
const PASSING: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'NETWORK',
  'TIMEOUT',
  'THROTTLED',
  'SERVICE_UNAVAILABLE',
  'DATABASE_UNAVAILABLE',
  'DATABASE_CONFLICT',
]);

/**
 * Whether a failure of a service may be over by itself in a while. A host that has just booted may have no credentials from its
 * instance metadata yet; credentials that were refused stay refused.
 */
export function mayPass(failure: Failure): boolean {
  return PASSING.has(failure.code) || areCredentialsAbsent(failure);
}
