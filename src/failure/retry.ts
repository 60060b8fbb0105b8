import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { toFailure } from './classify.ts';

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Attempts after the first one. */
  readonly retries?: number;
  /** Wait before the first retry; doubles with each, plus up to half of it as jitter, drawn anew each time. */
  readonly baseMs?: number;
  readonly maxMs?: number;
  readonly random?: () => number;
  /** Waits; rejects when the signal fires. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Runs an operation again while its failure is temporary: by default three more times after 2, 4 and 8 s with jitter.
 * Rejects with a `Failure`, or with the signal's reason when that fires, also in the middle of a wait.
 */
export async function withRetries<T>(operation: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, retries = 3, baseMs = 2_000, maxMs = 60_000, random = Math.random, wait = sleepFor } = options;
  signal.throwIfAborted();
  try {
    return await pRetry(
      async () => {
        try {
          return await operation();
        } catch (error) {
          signal.throwIfAborted();
          throw toFailure(error);
        }
      },
      {
        retries,
        // p-retry's own randomness is a factor of 1 to 2 and would stretch 8 s to 16 s: the waits are ours.
        minTimeout: 0,
        signal,
        shouldRetry: async ({ error, attemptNumber }) => {
          if (toFailure(error).class !== 'temporary') return false;
          const backoff = baseMs * 2 ** (attemptNumber - 1) * (1 + random() / 2);
          await wait(Math.min(backoff, maxMs), signal);
          return true;
        },
      },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal });
}
