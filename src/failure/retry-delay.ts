import { DEFAULT_WAIT, FAILURE_CODES } from './codes.ts';
import type { Failure } from './failure.ts';

/**
 * Seconds until a failed message is visible again: base x 2^(receives - 1), capped, with the upper half random so that
 * messages that failed together do not come back together.
 */
export function retryDelaySeconds(failure: Failure, receiveCount: number, random: () => number = Math.random): number {
  const { baseSeconds, capSeconds } = FAILURE_CODES[failure.code].wait ?? DEFAULT_WAIT;
  const exponent = Math.min(Math.max(receiveCount, 1) - 1, 20);
  const full = Math.min(baseSeconds * 2 ** exponent, capSeconds);
  return Math.max(1, Math.round(full * (0.5 + random() / 2)));
}
