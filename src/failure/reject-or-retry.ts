import { toFailure } from './classify.ts';
import type { Failure } from './failure.ts';
import type { Disposition } from './disposition.ts';
import { retryDelaySeconds } from './retry-delay.ts';

/**
 * Rejects a message once its failure is written down. A rejected message is gone for good: while the database cannot be
 * told why, it comes back instead, or its video would stay under way for ever. What the database refuses for good it would
 * refuse the next time as well.
 */
export async function rejectRecorded(
  failure: Failure,
  receiveCount: number,
  record: () => Promise<void>,
): Promise<Disposition> {
  try {
    await record();
  } catch (error) {
    const cause = toFailure(error);
    const afterSeconds = retryDelaySeconds(cause, receiveCount);
    if (cause.class === 'temporary') return { kind: 'retry', afterSeconds, failure: cause };
  }
  return { kind: 'reject', failure };
}
