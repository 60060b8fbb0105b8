import { brokenInstall } from '../../failure/broken-install.ts';
import { FAILURE_CODES } from '../../failure/codes.ts';
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
 * Any thrown thing as plain data; what is not a Failure becomes UNKNOWN with its stack as the cause, but for a part of the worker
 * that could not be loaded: its sign is a field, which would be lost on the way.
 */
export function toWire(error: unknown): WireFailure {
  const failure = error instanceof Failure ? error : brokenInstall(error);
  if (failure !== null) {
    const { code, message, details, stage } = failure;
    return { code, message, details, stage, cause: failure.cause === undefined ? null : textOf(failure.cause) };
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
