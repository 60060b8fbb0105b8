import type { Prisma } from '../../generated/prisma/client.ts';
import type { Database } from '../client.ts';
import { databaseCall } from '../database-call.ts';
import { storableText } from '../rows.ts';

/** A failure that was written down about a message. */
export interface ErrorTrace {
  readonly messageId: string | null;
  readonly at: Date;
  readonly code: string;
  readonly class: string;
  readonly reason: string;
  readonly stage: string | null;
  readonly worker: string | null;
}

/** What is known of an object that a message asked for. */
export interface VideoTrace {
  readonly externalId: string;
  readonly bucket: string;
  readonly key: string;
  readonly status: string;
  readonly failureCode: string | null;
  readonly attempts: number;
  readonly updatedAt: Date;
  /** Of the last run; null before the first. */
  readonly outcome: string | null;
  readonly worker: string | null;
}

export interface MessageTraces {
  /** Newest first. */
  readonly errors: readonly ErrorTrace[];
  readonly videos: readonly VideoTrace[];
}

export interface TracedObject {
  readonly bucket: string;
  readonly key: string;
  readonly videoId: string | null;
}

const MOST_ROWS = 1_000;
const SELECTED = {
  externalId: true,
  bucket: true,
  key: true,
  status: true,
  failureCode: true,
  attempts: true,
  updatedAt: true,
  runs: { orderBy: { fencingToken: 'desc' }, take: 1, select: { outcome: true, worker: true } },
} as const satisfies Prisma.VideoSelect;

/** Finds what the database knows of messages and of the objects that they ask for. */
export async function findTraces(
  db: Database,
  messageIds: readonly string[],
  objects: readonly TracedObject[],
  signal: AbortSignal,
): Promise<MessageTraces> {
  return await databaseCall(db, 'look the messages up', signal, async () => {
    const errors = await db.prisma.errorEvent.findMany({
      where: { messageId: { in: messageIds.map(storableText) } },
      orderBy: { occurredAt: 'desc' },
      take: MOST_ROWS,
    });
    const videos =
      objects.length === 0
        ? []
        : await db.prisma.video.findMany({
            where: { OR: objects.map(conditionOf) },
            orderBy: { createdAt: 'desc' },
            take: MOST_ROWS,
            select: SELECTED,
          });
    return {
      errors: errors.map(({ occurredAt, messageId, code, class: kind, reason, stage, worker }) => ({
        messageId,
        at: occurredAt,
        code,
        class: kind,
        reason,
        stage,
        worker,
      })),
      videos: videos.map(({ runs: [run], ...video }) => ({
        ...video,
        outcome: run?.outcome ?? null,
        worker: run?.worker ?? null,
      })),
    };
  });
}

/** By the backend's id where the message has one; by the object in any case. */
function conditionOf({ bucket, key, videoId }: TracedObject): Prisma.VideoWhereInput {
  const object = { bucket: storableText(bucket), key: storableText(key) };
  return videoId === null ? object : { OR: [object, { externalId: storableText(videoId) }] };
}
