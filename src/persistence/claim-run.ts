import { randomUUID } from 'node:crypto';
import { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { tableName } from './bulk-insert.ts';
import type { Database } from './client.ts';
import { databaseTransaction } from './database-call.ts';
import { derivedVideoId, type ObjectIdentity, type Sampling } from './identity.ts';
import { jobVideo } from './job-video.ts';
import { lockVideoId, pointIdAt, type IdRequest } from './video-ids.ts';

/** A claim that was won. The token, not the worker's belief, decides who may write. */
export interface Run {
  readonly runId: string;
  /** Primary key of the video. */
  readonly videoId: string;
  /** The backend's first id, or the derived one. */
  readonly externalId: string;
  /** The id that the run's message named. */
  readonly requestedId: string | null;
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

/** The message that asks for a run, and what its queue will do if the run never ends. */
export interface ClaimMessage {
  readonly messageId: string;
  /** The object as the message named it, before the store was asked. */
  readonly object: ObjectIdentity;
  readonly receiveCount: number;
  readonly isLastReceive: boolean;
  /** How long the queue may keep the message hidden without a sign of life. */
  readonly leaseSeconds: number;
}

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
  /** Absent where no queue is behind it. */
  readonly message?: ClaimMessage;
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
 * Whatever the answer, the id of the request means this video from then on. All times are the database's, since workers'
 * clocks differ.
 */
export async function claimRun(db: Database, request: ClaimRequest, signal: AbortSignal): Promise<Claim> {
  return await databaseTransaction(db, 'claim the video', signal, async (tx) => {
    const named = idRequest(request);
    const id = named === null ? null : await lockVideoId(tx, db.schema, named);
    const videoId = await jobVideo(tx, db.schema, request, named);
    const [video] = await tx.$queryRaw<VideoLock[]>`
      SELECT "id", "external_id", "status", "fencing_token", "attempts", clock_timestamp() AS "now"
      FROM ${tableName(db.schema, 'videos')} WHERE "id" = ${videoId}::uuid FOR UPDATE`;
    if (video === undefined) throw new Failure('DATABASE_CONFLICT', 'the video was deleted while it was being claimed');
    // Content of a newer message with the same id is not taken from it.
    const isOvertaken = id !== null && id.videoId !== null && !id.isNewest;
    if (named !== null && !isOvertaken) await pointIdAt(tx, db.schema, named, video.id);
    const externalId = await adoptExternalId(tx, video, request);
    if (video.status === 'completed') return { kind: 'completed', videoId: video.id, externalId };
    const alive = await findLiveRun(tx, db.schema, video.id);
    if (alive !== null) return { kind: 'running', ...alive };
    return { kind: 'started', run: await startRun(tx, db.schema, { ...video, external_id: externalId }, request) };
  });
}

/** Null where no message gave an id. */
function idRequest(request: ClaimRequest): IdRequest | null {
  const { externalId, object, message, worker } = request;
  if (externalId === derivedVideoId(object)) return null;
  return {
    externalId,
    object: message?.object ?? object,
    messageId: message?.messageId ?? null,
    isLastReceive: message?.isLastReceive ?? false,
    worker,
  };
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

/** The run under way if it is alive; one that is not is marked superseded. The video is locked. */
export async function findLiveRun(
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
  const { message } = request;
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
       "attributes", "decode", "started_at", "alive_until", "message_id", "receive_count", "last_receive", "lease_seconds")
    VALUES (${runId}::uuid, ${video.id}::uuid, ${attempt}, ${token}, ${request.worker}, ${request.pack.name},
      ${request.pack.fingerprint}, ${request.sampling.framesPerSecond}::float8, ${request.sampling.attributes},
      ${request.sampling.decode}, clock_timestamp(), clock_timestamp() + make_interval(secs => ${request.aliveSeconds}::float8),
      ${message?.messageId ?? null}, ${message?.receiveCount ?? null}::int, ${message?.isLastReceive ?? false},
      ${message?.leaseSeconds ?? null}::int)`;
  const requestedId = idRequest(request)?.externalId ?? null;
  return {
    runId,
    videoId: video.id,
    externalId: video.external_id,
    requestedId,
    attempt,
    token,
    worker: request.worker,
  };
}
