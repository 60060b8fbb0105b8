import { dispose } from './dispose.ts';
import type { Disposition } from './disposition.ts';
import type { Failure } from './failure.ts';
import type { ReceiveFacts } from './receipt.ts';

/**
 * Rejects a message once its failure is written down. A rejected message is gone for good: while the database cannot be
 * told why, it comes back instead, or its video would stay under way for ever; where this host may not tell it (a right that is lacking, a schema
 * that is not migrated) the worker ends. What the database refuses for good it would refuse the next time as well.
 */
export async function rejectOrRetry(
  failure: Failure,
  receipt: ReceiveFacts,
  record: () => Promise<void>,
): Promise<Disposition> {
  try {
    await record();
  } catch (error) {
    // Not the job's signal: that of a job that ran out of its time says nothing about the record.
    const instead = dispose(error, AbortSignal.any([]), receipt);
    // At the last receive its own reason is what has to stay; the next message ends the worker.
    if (instead.kind === 'halt' && receipt.isLastReceive) return { kind: 'reject', failure };
    if (instead.kind !== 'reject') return instead;
  }
  return { kind: 'reject', failure };
}
