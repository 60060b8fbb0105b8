import type { Failure, FailureCode } from './failure.ts';

interface Backoff {
  readonly baseSeconds: number;
  readonly capSeconds: number;
}

const DEFAULT_BACKOFF: Backoff = { baseSeconds: 15, capSeconds: 900 };

/** Throttling and an absent dependency need longer than a broken connection. */
const BACKOFF: Partial<Record<FailureCode, Backoff>> = {
  THROTTLED: { baseSeconds: 30, capSeconds: 1_800 },
  SERVICE_UNAVAILABLE: { baseSeconds: 30, capSeconds: 1_800 },
  DATABASE_UNAVAILABLE: { baseSeconds: 30, capSeconds: 900 },
  DATABASE_CONFLICT: { baseSeconds: 5, capSeconds: 120 },
  RUN_SUPERSEDED: { baseSeconds: 60, capSeconds: 900 },
};

/**
 * Seconds until a failed message is visible again: base x 2^(receives - 1), capped, with the upper half random so that
 * messages that failed together do not come back together.
 */
export function retryDelaySeconds(failure: Failure, receiveCount: number, random: () => number = Math.random): number {
  const { baseSeconds, capSeconds } = BACKOFF[failure.code] ?? DEFAULT_BACKOFF;
  const exponent = Math.min(Math.max(receiveCount, 1) - 1, 20);
  const full = Math.min(baseSeconds * 2 ** exponent, capSeconds);
  return Math.max(1, Math.round(full * (0.5 + random() / 2)));
}
