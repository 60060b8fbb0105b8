import { dispose } from '../failure/dispose.ts';
import type { Disposition } from '../failure/disposition.ts';
import { withStage, type Failure } from '../failure/failure.ts';
import type { ReceiveFacts } from '../failure/receipt.ts';
import { rejectOrRetry } from '../failure/reject-or-retry.ts';
import { withRetries } from '../failure/retry.ts';
import { unlessDeadline } from '../failure/unless-deadline.ts';
import type { Run } from '../persistence/claim-run.ts';
import { discardUnseenRows } from '../persistence/discard-rows.ts';
import { failRun, interruptRun } from '../persistence/end-run.ts';
import { recordRejection } from '../persistence/record-rejection.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { JobContext } from './job-context.ts';

const RECORD_TIMEOUT_MS = 20_000;
/** A job that is aborted gets 15 s to unwind. */
const LAST_RECORD_TIMEOUT_MS = 10_000;
const CALL_TIMEOUT_MS = 5_000;

/** What becomes of a job that threw, once that is written down as far as its end demands it. `run`: null before the claim. */
export async function endWithError(context: JobContext, error: unknown, run: Run | null): Promise<Disposition> {
  const { delivery, logger, signal } = context;
  const disposition = dispose(error, signal, delivery);
  if (disposition.kind === 'abandon') {
    if (run !== null) await releaseRun(context, run);
    return disposition;
  }
  const failure = withStage(disposition.failure, context.stages.of(error));
  const { code, stage } = failure;
  logger[failure.class === 'permanent' ? 'warn' : 'error']({ err: failure, code, stage }, 'job failed');
  const record = recorder(context, { failure, isFinal: isFinal(disposition, delivery) }, run);
  if (disposition.kind === 'reject') {
    const end = await rejectOrRetry(failure, delivery, () => insistently(context, record));
    await discardOwnRows(context, run);
    return end;
  }
  await quietly(logger, record);
  await discardOwnRows(context, run);
  return { ...disposition, failure };
}

/** Ends a run that is cut short and does not count; best effort, as the run's own deadline frees it in any case. */
export async function releaseRun({ deps, logger }: JobContext, run: Run): Promise<void> {
  await quietly(logger, () => interruptRun(deps.database, run, call()));
}

/** Ends the run of a content that is not there any more, which nobody can analyse; best effort, as its own deadline frees it. */
export async function leaveContent({ deps, logger, stages }: JobContext, run: Run, failure: Failure): Promise<void> {
  const staged = withStage(failure, stages.of(failure));
  await quietly(logger, () => failRun(deps.database, run, { failure: staged, isFinal: true }, call()));
}

/** Whether the message does not come back: then nobody else can say what became of the video. */
function isFinal({ kind }: Disposition, { isLastReceive }: ReceiveFacts): boolean {
  return kind === 'reject' || (kind === 'halt' && isLastReceive);
}

function recorder(
  { deps, settings, delivery }: JobContext,
  end: { readonly failure: Failure; readonly isFinal: boolean },
  run: Run | null,
): () => Promise<void> {
  if (run !== null) return () => failRun(deps.database, run, end, call());
  const { messageId, job } = delivery;
  const rejection = { ...end, messageId, job, externalId: job.videoId, worker: settings.workerId };
  return () => recordRejection(deps.database, rejection, call());
}

function call(): AbortSignal {
  return AbortSignal.timeout(CALL_TIMEOUT_MS);
}

/**
 * A run that failed while it stored its rows leaves some that nobody will see. Not so after an interruption, which should
 * end at once: the run that comes after it deletes them, or the sweep.
 */
async function discardOwnRows({ deps, logger, signal }: JobContext, run: Run | null): Promise<void> {
  if (run === null || signal.aborted) return;
  await quietly(logger, () => discardUnseenRows(deps.database, run.videoId, call()));
}

async function insistently({ logger, signal, delivery }: JobContext, record: () => Promise<void>): Promise<void> {
  // At the last receive nobody comes after this worker: a shutdown waits for the record, as long as it may.
  const watched = delivery.isLastReceive ? AbortSignal.any([]) : signal;
  using bounded = unlessDeadline(watched, delivery.isLastReceive ? LAST_RECORD_TIMEOUT_MS : RECORD_TIMEOUT_MS);
  try {
    await withRetries(record, { signal: bounded.signal });
  } catch (error) {
    logger.warn({ err: error }, 'the rejection could not be written to the database');
    throw error;
  }
}

async function quietly(logger: Logger, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logger.warn({ err: error }, 'the outcome could not be written to the database');
  }
}
