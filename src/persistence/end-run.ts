import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { replaceRows, tableName } from './bulk-insert.ts';
import type { Run } from './claim-run.ts';
import type { Database } from './client.ts';
import { databaseTransaction } from './database-call.ts';
import { errorEventRow } from './error-event.ts';
import { analysisRows } from './rows.ts';

/**
 * Writes the result in one transaction, in place of an earlier one. Only the holder of the token may: another run's
 * claim makes this throw `Failure('RUN_SUPERSEDED')` and leave nothing. Calling it again after a commit whose answer
 * was lost is not an error.
 */
export async function completeRun(
  db: Database,
  run: Run,
  analysis: VideoAnalysis,
  highlightsBucket: string | null,
  signal: AbortSignal,
): Promise<void> {
  const rows = analysisRows(run.videoId, analysis, highlightsBucket);
  await databaseTransaction(db, 'store the analysis', signal, async (tx) => {
    const held = await lockHeldRun(tx, db.schema, run);
    if (held.state === 'completed') return;
    if (held.state !== 'running') throw superseded(run);
    await replaceRows(tx, db.schema, run.videoId, rows, signal);
    const { now } = held;
    const { sizeBytes, ...facts } = analysis.video;
    await tx.analysisRun.update({
      where: { id: run.runId },
      data: {
        outcome: 'completed',
        finishedAt: now,
        device: analysis.pack.device,
        frames: analysis.sampling.frames,
        timings: toJson(analysis.timings),
        degraded: toJson(analysis.degraded),
        ...(analysis.sceneCost === undefined ? {} : { sceneCost: toJson(analysis.sceneCost) }),
      },
      select: { id: true },
    });
    await tx.video.update({
      where: { id: run.videoId },
      data: {
        ...facts,
        sizeBytes: BigInt(sizeBytes),
        status: 'completed',
        progress: 100,
        stage: null,
        failureCode: null,
        completedAt: now,
        updatedAt: now,
      },
      select: { id: true },
    });
  });
}

/**
 * Ends a run with its failure and records an error event. The video is failed for good only when the failure is
 * permanent; otherwise it waits for its message. A superseded run leaves the video alone.
 */
export async function failRun(db: Database, run: Run, failure: Failure, signal: AbortSignal): Promise<void> {
  await databaseTransaction(db, 'record the failure', signal, async (tx) => {
    const held = await lockHeldRun(tx, db.schema, run);
    if (['failed', 'completed', 'deleted'].includes(held.state)) return;
    const row = errorEventRow(failure, { worker: run.worker });
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
        status: failure.class === 'permanent' ? 'failed' : 'pending',
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

interface HeldRun {
  /** The outcome stored for the run; 'lost' when the token is somebody else's. */
  readonly state: string;
  readonly now: Date;
  readonly bucket: string | null;
  readonly key: string | null;
}

/**
 * Locks the video and tells the state of the run. Every writer locks the video first and the run second, so that two
 * of them cannot wait for each other.
 */
async function lockHeldRun(tx: Prisma.TransactionClient, schema: string, run: Run): Promise<HeldRun> {
  const [video] = await tx.$queryRaw<{ fencing_token: number; bucket: string; key: string; now: Date }[]>`
    SELECT "fencing_token", "bucket", "key", clock_timestamp() AS "now" FROM ${tableName(schema, 'videos')}
    WHERE "id" = ${run.videoId}::uuid FOR UPDATE`;
  if (video === undefined) return { state: 'deleted', now: new Date(), bucket: null, key: null };
  if (video.fencing_token !== run.token) return { ...video, state: 'lost' };
  const stored = await tx.analysisRun.findUnique({ where: { id: run.runId }, select: { outcome: true } });
  return { ...video, state: stored?.outcome ?? 'lost' };
}

function superseded(run: Run): Failure {
  return new Failure('RUN_SUPERSEDED', `run ${run.runId} of video ${run.externalId} lost its token to another run`, {
    details: { runId: run.runId, token: run.token },
  });
}

/** Goes through text, so that what is stored is what a reader of the JSON column gets. */
function toJson(value: object): Prisma.InputJsonValue {
  return JSON.parse(JSON.stringify(value)) as Prisma.InputJsonValue;
}
