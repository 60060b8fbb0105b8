import type { Prisma } from '../generated/prisma/client.ts';
import { tableName } from './bulk-insert.ts';
import type { Database } from './client.ts';
import { databaseTransaction } from './database-call.ts';
import { requestIdentity } from './identity.ts';
import { lockVideoId, mayBeSameObject, pointIdAt, storableObject, type IdRequest, type LockedId } from './video-ids.ts';

/**
 * Notes the id of a message before anything is asked of its object, so that a backend that polls for it finds it from then on, whatever
 * happens next. An id that is new, or is sent for another object, gets a row in `videos` that waits; the claim makes it the video's, or
 * removes it in favour of the row that the video has. An older message of the id that comes back changes nothing.
 */
export async function registerRequest(db: Database, request: IdRequest, signal: AbortSignal): Promise<void> {
  await databaseTransaction(db, 'note the id of the message', signal, async (tx) => {
    const id = await lockVideoId(tx, db.schema, request);
    if (id.isNewest) await registerNewest(tx, db.schema, request, id);
  });
}

async function registerNewest(
  tx: Prisma.TransactionClient,
  schema: string,
  request: IdRequest,
  id: LockedId,
): Promise<void> {
  const object = storableObject(request.object);
  const identity = requestIdentity(object, request.externalId);
  const known =
    id.videoId === null
      ? null
      : await tx.video.findUnique({
          where: { id: id.videoId },
          select: { id: true, identity: true, bucket: true, key: true, versionId: true, etag: true, status: true },
        });
  if (known !== null && mayBeSameObject(object, known)) {
    const hasFailed = known.identity === identity && known.status === 'failed';
    if (hasFailed) await placeholder(tx, schema, request);
    if (!id.isSameReceive) await pointIdAt(tx, schema, request, known.id);
    return;
  }
  await pointIdAt(tx, schema, request, await placeholder(tx, schema, request));
}

/** The row of an id whose object is not known yet, waiting; its primary key. The id is locked. */
export async function placeholder(tx: Prisma.TransactionClient, schema: string, request: IdRequest): Promise<string> {
  const object = storableObject(request.object);
  const [row] = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO ${tableName(schema, 'videos')} ("identity", "external_id", "bucket", "key", "version_id", "etag")
    VALUES (${requestIdentity(object, request.externalId)}, ${request.externalId}, ${object.bucket}, ${object.key},
      ${object.versionId}, ${object.etag})
    ON CONFLICT ("identity") DO UPDATE SET "status" = 'pending', "failure_code" = NULL, "updated_at" = clock_timestamp()
    RETURNING "id"`;
  if (row === undefined) throw new Error('an insert that cannot miss returned no row');
  return row.id;
}
