import type { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { tableName } from './bulk-insert.ts';
import { findLiveRun } from './claim-run.ts';
import type { Database } from './client.ts';
import { databaseTransaction } from './database-call.ts';
import { errorEventRow } from './error-event.ts';
import type { ObjectIdentity } from './identity.ts';
import { lockWaiting } from './job-video.ts';
import { placeholder } from './register-request.ts';
import { lockVideoId, mayBeSameObject, pointIdAt, storableObject, type IdRequest } from './video-ids.ts';

export interface Rejection {
  readonly messageId: string;
  readonly failure: Failure;
  /** The message does not come back. */
  readonly isFinal: boolean;
  /** The object that the message asked for; absent where it could not be understood. */
  readonly job?: ObjectIdentity;
  /** The id that the message named. */
  readonly externalId?: string | null;
  /** The message's body; only its beginning is kept. */
  readonly body?: string;
  readonly worker?: string;
}

/**
 * Records a failure before or without a run (a message that cannot be understood, an object that is not there) and tells it of the video
 * that the message was about: by its id, or by an earlier run for this very message. What is done, or under way elsewhere, stays as it is.
 */
export async function recordRejection(db: Database, rejection: Rejection, signal: AbortSignal): Promise<void> {
  const { failure, isFinal } = rejection;
  await databaseTransaction(db, 'record the rejection', signal, async (tx) => {
    const videoId = await videoOf(tx, db.schema, rejection);
    if (videoId !== null) await settleVideo(tx, db.schema, videoId, { failure, isFinal });
    await tx.errorEvent.create({ data: { ...errorEventRow(failure, rejection), videoId }, select: { id: true } });
  });
}

async function videoOf(tx: Prisma.TransactionClient, schema: string, rejection: Rejection): Promise<string | null> {
  const { externalId = null, messageId, job, worker } = rejection;
  if (externalId === null) {
    const run = await tx.analysisRun.findFirst({
      where: { messageId },
      orderBy: { startedAt: 'desc' },
      select: { videoId: true },
    });
    return run?.videoId ?? null;
  }
  return await videoOfId(tx, schema, {
    externalId,
    object: job ?? null,
    messageId,
    isLastReceive: rejection.isFinal,
    worker: worker ?? null,
  });
}

/** The row that waits for this request's object, or the video of that object; an id that means something else keeps its meaning. */
async function videoOfId(tx: Prisma.TransactionClient, schema: string, request: IdRequest): Promise<string | null> {
  const id = await lockVideoId(tx, schema, request);
  const waiting = await lockWaiting(tx, schema, request);
  if (waiting !== null) return waiting;
  if (id.videoId === null) {
    const made = await placeholder(tx, schema, request);
    await pointIdAt(tx, schema, request, made);
    return made;
  }
  if (request.object === null) return null;
  const known = await tx.video.findUnique({
    where: { id: id.videoId },
    select: { id: true, bucket: true, key: true, versionId: true, etag: true },
  });
  return known !== null && mayBeSameObject(storableObject(request.object), known) ? known.id : null;
}

async function settleVideo(
  tx: Prisma.TransactionClient,
  schema: string,
  videoId: string,
  { failure, isFinal }: Pick<Rejection, 'failure' | 'isFinal'>,
): Promise<void> {
  const videos = tableName(schema, 'videos');
  const [video] = await tx.$queryRaw<{ status: string }[]>`
    SELECT "status" FROM ${videos} WHERE "id" = ${videoId}::uuid FOR UPDATE`;
  if (video === undefined || video.status === 'completed') return;
  if ((await findLiveRun(tx, schema, videoId)) !== null) return;
  await tx.$executeRaw`
    UPDATE ${videos} SET "status" = ${isFinal ? 'failed' : 'pending'}, "progress" = 0, "stage" = NULL,
      "failure_code" = ${failure.code}, "updated_at" = clock_timestamp()
    WHERE "id" = ${videoId}::uuid`;
}
