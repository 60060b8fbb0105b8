import type { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { tableName } from './bulk-insert.ts';
import type { Run } from './claim-run.ts';
import type { Database } from './client.ts';
import { databaseTransaction } from './database-call.ts';
import { errorEventRow } from './error-event.ts';

/**
 * Ends a run with its failure and records an error event. `isFinal`: the message does not come back, and the video has failed for good;
 * otherwise it waits for its message. A superseded run leaves the video alone.
 */
export async function failRun(
  db: Database,
  run: Run,
  { failure, isFinal }: { readonly failure: Failure; readonly isFinal: boolean },
  signal: AbortSignal,
): Promise<void> {
  await databaseTransaction(db, 'record the failure', signal, async (tx) => {
    const held = await lockHeldRun(tx, db.schema, run);
    if (['failed', 'completed', 'deleted'].includes(held.state)) return;
    const { messageId } = held;
    const context = { worker: run.worker, externalId: run.requestedId, ...(messageId === null ? {} : { messageId }) };
    const row = errorEventRow(failure, context);
    await tx.errorEvent.create({
      data: { ...row, videoId: run.videoId, runId: run.runId, bucket: held.bucket, key: held.key },
      select: { id: true },
    });
    if (held.state !== 'running') return;
    await tx.analysisRun.update({
      where: { id: run.runId },
      data: {
        outcome: 'failed',
        finishedAt: held.now,
        failureCode: failure.code,
        failureClass: failure.class,
        failureReason: row.reason,
      },
      select: { id: true },
    });
    await tx.video.update({
      where: { id: run.videoId },
      data: {
        status: isFinal ? 'failed' : 'pending',
        progress: 0,
        failureCode: failure.code,
        updatedAt: held.now,
      },
      select: { id: true },
    });
  });
}

/** Ends a run that was interrupted: the video waits again, and the attempt does not count. */
export async function interruptRun(db: Database, run: Run, signal: AbortSignal): Promise<void> {
  await databaseTransaction(db, 'release the video', signal, async (tx) => {
    const held = await lockHeldRun(tx, db.schema, run);
    if (held.state !== 'running') return;
    await tx.analysisRun.update({
      where: { id: run.runId },
      data: { outcome: 'interrupted', finishedAt: held.now },
      select: { id: true },
    });
    await tx.video.update({
      where: { id: run.videoId },
      data: { status: 'pending', progress: 0, stage: null, attempts: { decrement: 1 }, updatedAt: held.now },
      select: { id: true },
    });
  });
}

/** What a run's writer finds when it has locked the video. */
export interface HeldRun {
  /** The outcome stored for the run; 'lost' when the token is somebody else's. */
  readonly state: string;
  readonly now: Date;
  readonly bucket: string | null;
  readonly key: string | null;
  /** Of the message that asked for the run; null where none did, or the run is gone. */
  readonly messageId: string | null;
}

/**
 * Locks the video and tells the state of the run. Every writer locks the video first and the run second, so that two
 * of them cannot wait for each other.
 */
export async function lockHeldRun(tx: Prisma.TransactionClient, schema: string, run: Run): Promise<HeldRun> {
  const [video] = await tx.$queryRaw<{ fencing_token: number; bucket: string; key: string; now: Date }[]>`
    SELECT "fencing_token", "bucket", "key", clock_timestamp() AS "now" FROM ${tableName(schema, 'videos')}
    WHERE "id" = ${run.videoId}::uuid FOR UPDATE`;
  if (video === undefined) return { state: 'deleted', now: new Date(), bucket: null, key: null, messageId: null };
  const stored = await tx.analysisRun.findUnique({
    where: { id: run.runId },
    select: { outcome: true, messageId: true },
  });
  const messageId = stored?.messageId ?? null;
  const isHeld = video.fencing_token === run.token;
  return { ...video, messageId, state: isHeld ? (stored?.outcome ?? 'lost') : 'lost' };
}
