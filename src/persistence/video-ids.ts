import { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { tableName } from './bulk-insert.ts';
import type { ObjectIdentity } from './identity.ts';
import { storableText } from './rows.ts';

/** What a message says of the video that it names by the backend's id. */
export interface IdRequest {
  readonly externalId: string;
  /** As the message names it: without version or ETag where it gives none. Null: it names none that can be read. */
  readonly object: ObjectIdentity | null;
  readonly messageId: string | null;
  /** The queue does not hand the message out again. */
  readonly isLastReceive: boolean;
  readonly worker: string | null;
}

export interface LockedId {
  readonly externalId: string;
  /** What the id means so far. */
  readonly videoId: string | null;
  /** The message is the newest with this id, or one that nobody has seen before. An older one that comes back is not. */
  readonly isNewest: boolean;
  /** The row says so already. */
  readonly isSameReceive: boolean;
}

interface IdRow {
  readonly video_id: string | null;
  readonly message_id: string | null;
  readonly last_receive: boolean;
  readonly is_earlier: boolean;
}

/** Enough for those that can still be in a queue. */
const EARLIER_MESSAGES = 20;

const NO_OBJECT: ObjectIdentity = { bucket: '', key: '', versionId: null, etag: null };

/** What of a request can stand in a row: an object that cannot be read is empty, and no text holds what Postgres refuses. */
export function storableObject(object: ObjectIdentity | null): ObjectIdentity {
  const { bucket, key, versionId, etag } = object ?? NO_OBJECT;
  return {
    bucket: storableText(bucket),
    key: storableText(key),
    versionId: versionId === null ? null : storableText(versionId),
    etag: etag === null ? null : storableText(etag),
  };
}

/**
 * Locks the row of an id, which is made where the id is new. Every transaction takes its locks in this order, so that no two can wait for
 * each other: the id, the identity of a job, the video, the run. Who needs only the latter ones takes no earlier one afterwards.
 */
export async function lockVideoId(tx: Prisma.TransactionClient, schema: string, request: IdRequest): Promise<LockedId> {
  const { externalId, messageId } = request;
  const ids = tableName(schema, 'video_ids');
  const { bucket, key, versionId, etag } = storableObject(request.object);
  await tx.$executeRaw`
    INSERT INTO ${ids} ("external_id", "bucket", "key", "version_id", "etag", "message_id", "last_receive", "worker")
    VALUES (${externalId}, ${bucket}, ${key}, ${versionId}, ${etag}, ${messageId}, ${request.isLastReceive}, ${request.worker})
    ON CONFLICT ("external_id") DO NOTHING`;
  const [row] = await tx.$queryRaw<IdRow[]>`
    SELECT "video_id", "message_id", "last_receive", COALESCE(${messageId} = ANY("earlier_messages"), false) AS "is_earlier" FROM ${ids}
    WHERE "external_id" = ${externalId} FOR UPDATE`;
  if (row === undefined) throw new Failure('DATABASE_CONFLICT', 'the video was deleted while its id was being noted');
  return {
    externalId,
    videoId: row.video_id,
    isNewest: !row.is_earlier,
    isSameReceive: row.message_id === messageId && row.last_receive === request.isLastReceive,
  };
}

/** Lets an id mean a video from now on, by the word of this request. The id is locked, and the video is there. */
export async function pointIdAt(
  tx: Prisma.TransactionClient,
  schema: string,
  request: IdRequest,
  videoId: string,
): Promise<void> {
  const { bucket, key, versionId, etag } = storableObject(request.object);
  const { messageId } = request;
  await tx.$executeRaw`
    UPDATE ${tableName(schema, 'video_ids')} SET
      "video_id" = ${videoId}::uuid, "bucket" = ${bucket}, "key" = ${key}, "version_id" = ${versionId}, "etag" = ${etag},
      "earlier_messages" = CASE
        WHEN "message_id" IS NULL OR COALESCE(${messageId}::text, "message_id") = "message_id" THEN "earlier_messages"
        ELSE ("message_id" || COALESCE("earlier_messages", '{}'))[1:${EARLIER_MESSAGES}::int] END,
      "message_id" = COALESCE(${messageId}::text, "message_id"), "worker" = ${request.worker}, "last_receive" = ${request.isLastReceive},
      "updated_at" = clock_timestamp()
    WHERE "external_id" = ${request.externalId}`;
}

/**
 * Whether a message that names an object can mean the object of a video. Most messages name neither version nor ETag; then only the store
 * can tell, when the job asks it.
 */
export function mayBeSameObject(named: ObjectIdentity, known: ObjectIdentity): boolean {
  if (named.bucket !== known.bucket || named.key !== known.key) return false;
  const [version, knownVersion] = [versionOf(named), versionOf(known)];
  if (version !== null && knownVersion !== null) return version === knownVersion;
  return named.etag === null || known.etag === null || bare(named.etag) === bare(known.etag);
}

/** "null" is what a bucket with suspended versioning calls every upload. */
function versionOf({ versionId }: ObjectIdentity): string | null {
  return versionId === 'null' ? null : versionId;
}

/** Messages carry an ETag bare, the store's answers in quotes. */
function bare(etag: string): string {
  return etag.replaceAll('"', '');
}
