import type { Prisma } from '../generated/prisma/client.ts';
import { tableName } from './bulk-insert.ts';
import { requestIdentity, type ObjectIdentity } from './identity.ts';
import { storableObject, type IdRequest } from './video-ids.ts';

interface ClaimedJob {
  readonly identity: string;
  readonly externalId: string;
  /** As the store tells it. */
  readonly object: ObjectIdentity;
}

/**
 * The row of a job's video, which is made where the job is new; its primary key. What waited under the request's id becomes that row, or
 * goes in favour of the one that is there.
 */
export async function jobVideo(
  tx: Prisma.TransactionClient,
  schema: string,
  { identity, externalId, object }: ClaimedJob,
  named: IdRequest | null,
): Promise<string> {
  const videos = tableName(schema, 'videos');
  // Two rows cannot become one video at once: the second would break the unique index instead of waiting.
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${identity}, 0))`;
  const waiting = named === null ? null : await lockWaiting(tx, schema, named);
  const known = await tx.video.findUnique({ where: { identity }, select: { id: true } });
  if (waiting !== null && known === null) {
    await tx.$executeRaw`
      UPDATE ${videos} SET "identity" = ${identity}, "bucket" = ${object.bucket}, "key" = ${object.key},
        "version_id" = ${object.versionId}, "etag" = ${object.etag}, "updated_at" = clock_timestamp()
      WHERE "id" = ${waiting}::uuid`;
    return waiting;
  }
  if (waiting !== null && known !== null) await replaceBy(tx, schema, waiting, known.id);
  if (known !== null) return known.id;
  const [made] = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO ${videos} ("identity", "external_id", "bucket", "key", "version_id", "etag")
    VALUES (${identity}, ${externalId}, ${object.bucket}, ${object.key}, ${object.versionId}, ${object.etag})
    RETURNING "id"`;
  if (made === undefined) throw new Error('an insert returned no row');
  return made.id;
}

/** The row that waits for the object of a request, locked; null where it has become a video, or was never made. */
export async function lockWaiting(
  tx: Prisma.TransactionClient,
  schema: string,
  { object, externalId }: IdRequest,
): Promise<string | null> {
  const [row] = await tx.$queryRaw<{ id: string }[]>`
    SELECT "id" FROM ${tableName(schema, 'videos')}
    WHERE "identity" = ${requestIdentity(storableObject(object), externalId)} FOR UPDATE`;
  return row?.id ?? null;
}

/** Whatever was recorded under the row that waited is told of the video. */
async function replaceBy(
  tx: Prisma.TransactionClient,
  schema: string,
  waiting: string,
  videoId: string,
): Promise<void> {
  for (const table of ['video_ids', 'error_events']) {
    await tx.$executeRaw`
      UPDATE ${tableName(schema, table)} SET "video_id" = ${videoId}::uuid WHERE "video_id" = ${waiting}::uuid`;
  }
  await tx.video.delete({ where: { id: waiting }, select: { id: true } });
}
