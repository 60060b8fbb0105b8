import { toFailure } from '../../failure/classify.ts';
import type { Failure } from '../../failure/failure.ts';
import { mayPass } from './may-pass.ts';
import { fixOf, type Service } from './service-fixes.ts';

export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skipped';

export interface CheckResult {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly detail: string;
  /** What to do; null where nothing is to do. */
  readonly fix: string | null;
  /** What is wrong may be right by itself in a while: somebody else is away, and nothing here is wrong. */
  readonly mayPass: boolean;
}

export type Finding = Omit<CheckResult, 'name'>;

/** For what this process asks the host alone: files of the kernel wait for their turn where all else is being checked, too. */
export const OWN_HOST_LIMIT_MS = 20_000;

export interface Check {
  readonly name: string;
  readonly timeoutMs: number;
  /** What to do when the check itself throws or takes too long, where what it calls has no better word for that end. */
  readonly fix: string;
  /** What it calls; absent: this host alone, which does not mend itself while one waits. */
  readonly service?: Service;
  /** What such an end means: `fail` when absent. */
  readonly severity?: 'warn' | 'fail';
  run(signal: AbortSignal): Promise<Finding>;
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail, fix: null, mayPass: false });
export const warn = (detail: string, fix: string): Finding => ({ status: 'warn', detail, fix, mayPass: false });
export const fail = (detail: string, fix: string): Finding => ({ status: 'fail', detail, fix, mayPass: false });
export const skipped = (detail: string): Finding => ({ status: 'skipped', detail, fix: null, mayPass: false });

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
    return { name: check.name, ...ended(check, error, limit.signal, signal) };
  } finally {
    clearTimeout(timer);
    joined.removeEventListener('abort', giveUp);
  }
}

/** The finding of a check that threw, was given up by its caller or was too slow. */
function ended(check: Check, error: unknown, limit: AbortSignal, caller: AbortSignal): Finding {
  const status = check.severity ?? 'fail';
  // The SDKs throw errors of their own when their signal fires; why it fired says more.
  if (caller.aborted) return { status, detail: messageOf(caller.reason), fix: check.fix, mayPass: false };
  if (limit.aborted) {
    return { status, detail: messageOf(limit.reason), fix: check.fix, mayPass: check.service !== undefined };
  }
  const failure = toFailure(error);
  return {
    status,
    detail: failure.code === 'UNKNOWN' ? messageOf(error) : failure.message,
    fix: fixFor(check, failure),
    mayPass: check.service !== undefined && mayPass(failure),
  };
}

function fixFor(check: Check, failure: Failure): string {
  return (check.service === undefined ? null : fixOf(failure, check.service)) ?? check.fix;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
