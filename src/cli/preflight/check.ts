import { toFailure } from '../../failure/classify.ts';

export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skipped';

export interface CheckResult {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly detail: string;
  /** What to do; null where nothing is to do. */
  readonly fix: string | null;
}

export type Finding = Omit<CheckResult, 'name'>;

export interface Check {
  readonly name: string;
  readonly timeoutMs: number;
  /** What to do when the check itself throws or takes too long. */
  readonly fix: string;
  /** What such an end means: `fail` when absent. */
  readonly severity?: 'warn' | 'fail';
  run(signal: AbortSignal): Promise<Finding>;
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail, fix: null });
export const warn = (detail: string, fix: string): Finding => ({ status: 'warn', detail, fix });
export const fail = (detail: string, fix: string): Finding => ({ status: 'fail', detail, fix });
export const skipped = (detail: string): Finding => ({ status: 'skipped', detail, fix: null });

/** Runs one check; never throws, and is over at its timeout also where the check ignores its signal. */
export async function runCheck(check: Check, signal: AbortSignal): Promise<CheckResult> {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new Error(`no answer within ${check.timeoutMs / 1000} s`));
  }, check.timeoutMs);
  const joined = AbortSignal.any([signal, limit.signal]);
  const given = Promise.withResolvers<never>();
  const giveUp = (): void => {
    given.reject(joined.reason);
  };
  joined.addEventListener('abort', giveUp, { once: true });
  try {
    joined.throwIfAborted();
    return { name: check.name, ...(await Promise.race([check.run(joined), given.promise])) };
  } catch (error) {
    // The SDKs throw errors of their own when their signal fires; why it fired says more.
    const detail = limit.signal.aborted ? messageOf(limit.signal.reason) : describe(error);
    return { name: check.name, status: check.severity ?? 'fail', detail, fix: check.fix };
  } finally {
    clearTimeout(timer);
    joined.removeEventListener('abort', giveUp);
  }
}

function describe(error: unknown): string {
  const failure = toFailure(error);
  return failure.code === 'UNKNOWN' ? messageOf(error) : failure.message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
