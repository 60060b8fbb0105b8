import { FAILURE_CODES } from '../../failure/codes.ts';
import { toFailure } from '../../failure/classify.ts';
import { Failure } from '../../failure/failure.ts';
import type { FailureCode } from '../../failure/codes.ts';

/** A failure as plain data: structured clone keeps neither the class nor the code of an error. */
export interface WireFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly details: Failure['details'];
  readonly stage: Failure['stage'];
  /** Stack or text of the cause, null where there is none. */
  readonly cause: string | null;
}

/**
 * Any thrown thing as plain data: a Failure, or what an error says of this host, which could not be told from its text any more; anything
 * else becomes UNKNOWN with its stack as the cause.
 */
export function toWire(error: unknown): WireFailure {
  const failure = toFailure(error);
  if (error instanceof Failure || failure.code !== 'UNKNOWN') {
    const { code, message, details, stage, cause } = failure;
    return { code, message, details, stage, cause: cause === undefined ? null : textOf(cause) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'UNKNOWN', message, details: {}, stage: null, cause: textOf(error) };
}

/** The failure on the other side of the boundary, with the cause's text as an error. */
export function fromWire(wire: WireFailure): Failure {
  const code = Object.hasOwn(FAILURE_CODES, wire.code) ? wire.code : 'UNKNOWN';
  return new Failure(code, wire.message, {
    details: wire.details,
    stage: wire.stage,
    ...(wire.cause === null ? {} : { cause: new Error(wire.cause) }),
  });
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
