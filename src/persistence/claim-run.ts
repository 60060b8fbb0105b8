import { randomUUID } from 'node:crypto';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { replaceRows, tableName } from './bulk-insert.ts';
import type { Database } from './client.ts';
import { databaseCall, databaseTransaction } from './database-call.ts';
import { errorEventRow } from './error-event.ts';
import { derivedVideoId, type ObjectIdentity, type Sampling } from './identity.ts';
import { analysisRows } from './rows.ts';

/** A claim that was won. The token, not the worker's belief, decides who may write. */
export interface Run {
  readonly runId: string;
  /** Primary key of the video. */
  readonly videoId: string;
  /** The backend's id, or the derived one. */
  readonly externalId: string;
  readonly attempt: number;
  readonly token: number;
  readonly worker: string;
}

export type Claim =
  | { readonly kind: 'started'; readonly run: Run }
  /** A duplicate of a job that is done. */
  | { readonly kind: 'completed'; readonly videoId: string; readonly externalId: string }
  /** Another run shows signs of life. */
  | { readonly kind: 'running'; readonly worker: string; readonly retryAfterSeconds: number };

export interface ClaimRequest {
  /** `jobIdentity` of object, pack and sampling. */
  readonly identity: string;
  /** The backend's video id, or `derivedVideoId(object)`. */
  readonly externalId: string;
  readonly object: ObjectIdentity;
  readonly worker: string;
  readonly pack: { readonly name: string; readonly fingerprint: string };
  readonly sampling: Sampling;
  /** How long the run counts as alive without a sign of life. */
  readonly aliveSeconds: number;
}

interface VideoLock {
  readonly id: string;
  readonly external_id: string;
  readonly status: string;
  readonly fencing_token: number;
  readonly attempts: number;
  readonly now: Date;
}

/**
 * Starts a run of a job, unless it is done or another run is alive. Claims of one job queue up at the video's row, so
 * exactly one of them starts. A run without a sign of life is superseded: its token is worth nothing from then on.
 * All times are the database's, since workers' clocks differ.
 */
export async function claimRun(db: Database, request: ClaimRequest, signal: AbortSignal): Promise<Claim> {
  return await databaseTransaction(db, 'claim the video', signal, async (tx) => {
    const { object } = request;
    const videos = tableName(db.schema, 'videos');
    await tx.$executeRaw`
      INSERT INTO ${videos} ("identity", "external_id", "bucket", "key", "version_id", "etag")
      VALUES (${request.identity}, ${request.externalId}, ${object.bucket}, ${object.key}, ${object.versionId}, ${object.etag})
      ON CONFLICT ("identity") DO NOTHING`;
    const [video] = await tx.$queryRaw<VideoLock[]>`
      SELECT "id", "external_id", "status", "fencing_token", "attempts", clock_timestamp() AS "now" FROM ${videos}
      WHERE "identity" = ${request.identity} FOR UPDATE`;
    if (video === undefined) throw new Failure('DATABASE_CONFLICT', 'the video was deleted while it was being claimed');
    const externalId = await adoptExternalId(tx, video, request);
    if (video.status === 'completed') return { kind: 'completed', videoId: video.id, externalId };
    const alive = await findLiveRun(tx, db.schema, video.id);
    if (alive !== null) return { kind: 'running', ...alive };
    return { kind: 'started', run: await startRun(tx, db.schema, { ...video, external_id: externalId }, request) };
  });
}

/**
 * A storage event may come before the backend's message about the same object; the video then carries a derived id
 * until the backend's becomes known. A backend's id is never replaced.
 */
async function adoptExternalId(tx: Prisma.TransactionClient, video: VideoLock, request: ClaimRequest): Promise<string> {
  const derived = derivedVideoId(request.object);
  if (video.external_id !== derived || request.externalId === derived) return video.external_id;
  await tx.video.update({ where: { id: video.id }, data: { externalId: request.externalId, updatedAt: video.now } });
  return request.externalId;
}

/** The run under way if it is alive; one that is not is marked superseded. */
async function findLiveRun(
  tx: Prisma.TransactionClient,
  schema: string,
  videoId: string,
): Promise<{ readonly worker: string; readonly retryAfterSeconds: number } | null> {
  const runs = tableName(schema, 'analysis_runs');
  const [running] = await tx.$queryRaw<{ id: string; worker: string; left: number }[]>`
    SELECT "id", "worker", EXTRACT(EPOCH FROM "alive_until" - clock_timestamp())::float8 AS "left" FROM ${runs}
    WHERE "video_id" = ${videoId}::uuid AND "outcome" = 'running'`;
  if (running === undefined) return null;
  if (running.left > 0) return { worker: running.worker, retryAfterSeconds: Math.max(1, Math.ceil(running.left)) };
  await tx.$executeRaw`
    UPDATE ${runs} SET "outcome" = 'superseded', "finished_at" = clock_timestamp()
    WHERE "id" = ${running.id}::uuid AND "outcome" = 'running'`;
  return null;
}

async function startRun(
  tx: Prisma.TransactionClient,
  schema: string,
  video: VideoLock,
  request: ClaimRequest,
): Promise<Run> {
  const runId = randomUUID();
  const token = video.fencing_token + 1;
  const attempt = video.attempts + 1;
  await tx.video.update({
    where: { id: video.id },
    data: {
      status: 'processing',
      progress: 0,
      stage: null,
      failureCode: null,
      fencingToken: token,
      attempts: attempt,
      updatedAt: video.now,
    },
  });
  await tx.$executeRaw`
    INSERT INTO ${tableName(schema, 'analysis_runs')}
      ("id", "video_id", "attempt", "fencing_token", "worker", "pack_name", "pack_fingerprint", "frames_per_second",
       "attributes", "started_at", "alive_until")
    VALUES (${runId}::uuid, ${video.id}::uuid, ${attempt}, ${token}, ${request.worker}, ${request.pack.name},
      ${request.pack.fingerprint}, ${request.sampling.framesPerSecond}::float8, ${request.sampling.attributes},
      clock_timestamp(), clock_timestamp() + make_interval(secs => ${request.aliveSeconds}::float8))`;
  return { runId, videoId: video.id, externalId: video.external_id, attempt, token, worker: request.worker };
}

/** Prolongs the run's life from now on; false when another run has taken over or this one is finished. */
export async function keepAlive(db: Database, run: Run, aliveSeconds: number, signal: AbortSignal): Promise<boolean> {
  return await databaseCall(db, 'keep the run alive', signal, async () => {
    const count = await db.prisma.$executeRaw`
      UPDATE ${tableName(db.schema, 'analysis_runs')}
      SET "alive_until" = clock_timestamp() + make_interval(secs => ${aliveSeconds}::float8)
      WHERE "id" = ${run.runId}::uuid AND "outcome" = 'running'`;
    return count === 1;
  });
}

/** Shows how far the run is (percent 0..100, shown as at most 99); false when the run may not write any more. */
export async function saveProgress(
  db: Database,
  run: Run,
  progress: { readonly percent: number; readonly stage: string },
  signal: AbortSignal,
): Promise<boolean> {
  const percent = Math.min(99, Math.max(0, Math.floor(progress.percent)));
  return await databaseCall(db, 'save the progress', signal, async () => {
    const count = await db.prisma.$executeRaw`
      UPDATE ${tableName(db.schema, 'videos')}
      SET "progress" = ${percent}, "stage" = ${progress.stage}, "updated_at" = clock_timestamp()
      WHERE "id" = ${run.videoId}::uuid AND "fencing_token" = ${run.token} AND "status" = 'processing'`;
    return count === 1;
  });
}

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

export interface Rejection {
  readonly messageId: string;
  readonly failure: Failure;
  /** The object that the message asked for, as far as it could be understood. */
  readonly job?: { readonly bucket: string; readonly key: string };
  /** The message's body; only its beginning is kept. */
  readonly body?: string;
  readonly worker?: string;
}

/** Records a failure before or without a run: a message that cannot be understood, an object that is not there. */
export async function recordRejection(db: Database, rejection: Rejection, signal: AbortSignal): Promise<void> {
  await databaseCall(db, 'record the rejection', signal, () =>
    db.prisma.errorEvent.create({ data: errorEventRow(rejection.failure, rejection), select: { id: true } }),
  );
}
