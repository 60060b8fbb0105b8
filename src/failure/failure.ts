import { FAILURE_CODES, type FailureClass, type FailureCode } from './codes.ts';
import type { JobStage } from './stage.ts';

export interface FailureOptions {
  readonly cause?: unknown;
  /** Small, loggable facts: sizes, limits, the external code. Never credentials, bodies or signed URLs. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  readonly stage?: JobStage | null;
}

/** The closed error family of the worker. Anything else that is thrown is turned into one at a single boundary. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly class: FailureClass;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  /** Where in a job it happened; null for a failure of no job, or of one whose job has not said yet. */
  readonly stage: JobStage | null;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.class = FAILURE_CODES[code].class;
    this.details = options.details ?? {};
    this.stage = options.stage ?? null;
  }
}

/** The same failure with its stage, where it has none yet: the first to know is the nearest. */
export function withStage(failure: Failure, stage: JobStage): Failure {
  if (failure.stage !== null) return failure;
  const { code, message, cause, details } = failure;
  const named = new Failure(code, message, { cause, details, stage });
  if (failure.stack !== undefined) named.stack = failure.stack;
  return named;
}

/** The facts of a failure with its stage among them, the form in which they are written down and logged. */
export function factsOf(failure: Pick<Failure, 'details' | 'stage'>): Failure['details'] {
  return failure.stage === null ? failure.details : { ...failure.details, stage: failure.stage };
}

export type InterruptionKind = 'lease-lost' | 'deadline' | 'shutdown' | 'host-interruption';

/** The reason carried by a job's AbortSignal (`signal.reason`): an interruption is not a failure of the job. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly kind: InterruptionKind;

  constructor(kind: InterruptionKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
