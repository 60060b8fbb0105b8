import { outsideText } from '../text/outside-text.ts';
import { FAILURE_CODES, type FailureClass, type FailureCode } from './codes.ts';
import type { JobStage } from './stage.ts';

export interface FailureOptions {
  readonly cause?: unknown;
  /** Small, loggable facts: sizes, limits, the external code. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  readonly stage?: JobStage | null;
}

/** UTF-16 units: a list of everything that is wrong with a configuration has room, a text from outside was bounded before. */
const MESSAGE_LENGTH = 4_000;
const DETAIL_LENGTH = 1_000;

/**
 * The closed error family of the worker. Anything else that is thrown is turned into one at a single boundary.
 *
 * Message and details are scrubbed and bounded here, once, so that whatever takes them (log, tables, dead letters, `/statistics`, a
 * terminal) has no secret to leak. The cause is what it was: who writes it down scrubs it.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly class: FailureClass;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  /** Where in a job it happened; null for a failure of no job, or of one whose job has not said yet. */
  readonly stage: JobStage | null;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(outsideText(message, MESSAGE_LENGTH), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.class = FAILURE_CODES[code].class;
    this.details = told(options.details);
    this.stage = options.stage ?? null;
  }
}

function told(details: FailureOptions['details']): Failure['details'] {
  if (details === undefined) return {};
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name,
      typeof value === 'string' ? outsideText(value, DETAIL_LENGTH) : value,
    ]),
  );
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
    super(outsideText(message, MESSAGE_LENGTH), options);
    this.kind = kind;
  }
}
