import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { toFailure } from './classify.ts';
import { isAway } from './dependency.ts';
import type { Failure } from './failure.ts';

/** How an operation is tried again in place, before its message goes back to the queue. */
export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly retries: number;
  /** Wait before the first retry; doubles with each. */
  readonly baseMs: number;
  /** Of a single wait, jitter included. */
  readonly capMs: number;
  /** Up to this share of a wait comes on top of it, drawn anew each time. */
  readonly jitter: number;
  /** `temporary`: all failures of that class. `away`: only those that say that the dependency is away or asks to slow down. */
  readonly after: 'temporary' | 'away';
}

/** Where dependencies differ. A call of Bedrock costs money, also one that fails: fewer tries, and none where the answer is the trouble. */
export const RETRY_POLICIES = {
  default: { retries: 3, baseMs: 2_000, capMs: 60_000, jitter: 0.5, after: 'temporary' },
  download: { retries: 3, baseMs: 2_000, capMs: 60_000, jitter: 0.5, after: 'temporary' },
  bedrock: { retries: 2, baseMs: 2_000, capMs: 60_000, jitter: 1, after: 'away' },
} as const satisfies Record<string, RetryPolicy>;

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** RETRY_POLICIES.default when absent. */
  readonly policy?: RetryPolicy;
  readonly random?: () => number;
  /** Waits; rejects when the signal fires. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Runs an operation again while its failure is one that its policy takes for passing: by default three more times after 2, 4 and 8 s
 * with jitter. Rejects with a `Failure`, or with the signal's reason when that fires, also in the middle of a wait.
 */
export async function withRetries<T>(operation: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, policy = RETRY_POLICIES.default, random = Math.random, wait = sleepFor } = options;
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
        retries: policy.retries,
        // p-retry's own randomness is a factor of 1 to 2 and would stretch 8 s to 16 s: the waits are ours.
        minTimeout: 0,
        signal,
        shouldRetry: async ({ error, attemptNumber }) => {
          if (!mayPass(toFailure(error), policy)) return false;
          const backoff = policy.baseMs * 2 ** (attemptNumber - 1) * (1 + random() * policy.jitter);
          await wait(Math.min(backoff, policy.capMs), signal);
          return true;
        },
      },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function mayPass(failure: Failure, { after }: RetryPolicy): boolean {
  return after === 'temporary' ? failure.class === 'temporary' : isAway(failure);
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal });
}
