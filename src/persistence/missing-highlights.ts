import type { BoxTuple } from '../analysis/video-analysis.ts';
import { qualified, tableName } from './bulk-insert.ts';
import type { Database } from './client.ts';
import { databaseCall } from './database-call.ts';
import type { ObjectIdentity } from './identity.ts';

/** A stored event that is to have an image, with what its image shows. */
export interface PicturedEvent {
  readonly eventId: bigint;
  readonly track: number;
  readonly type: string;
  readonly startSeconds: number;
  readonly frameIndex: number;
  readonly box: BoxTuple;
  /** Null: it has none. */
  readonly highlightKey: string | null;
}

/** A completed video, some of whose events have no image. */
export interface UnpicturedVideo {
  readonly videoId: string;
  readonly externalId: string;
  readonly object: ObjectIdentity;
  /** The run whose findings these are. */
  readonly runId: string;
  readonly framesPerSecond: number;
  readonly decode: 'exact' | 'fast';
  /** Of the picture that the boxes of the events lie in. */
  readonly width: number | null;
  readonly height: number | null;
  /** Those of the given actions, with an image or without. */
  readonly events: readonly PicturedEvent[];
}

export interface UnpicturedQuery {
  /** Of the events that are to have an image. */
  readonly actions: readonly string[];
  /** Primary keys; null: all videos. */
  readonly videoIds: readonly string[] | null;
  /** Primary key of the last video of the page before; null: from the beginning. */
  readonly after: string | null;
  readonly limit: number;
}

/**
 * Finds completed videos with events of the given actions that have no image, by primary key. From the events on, which an index finds: most
 * videos lack none, and one after another would be asked.
 */
export async function findUnpictured(
  db: Database,
  query: UnpicturedQuery,
  signal: AbortSignal,
): Promise<readonly UnpicturedVideo[]> {
  const actions = [...query.actions];
  const videosTable = qualified(db.schema, 'videos');
  // Of a few videos the events of the others are not asked for: all may lack an image where none were kept before.
  const ofThese =
    query.videoIds === null
      ? ''
      : `AND "run_id" IN (SELECT "result_run_id" FROM ${videosTable} WHERE "id" = ANY ($2::uuid[]))`;
  const videos = await databaseCall(db, 'find events without an image', signal, async () => {
    const { rows } = await db.pool.query<{ id: string }>(
      // First the events: the planner would expect far more of them than there are, and pass all videos instead.
      `SELECT v."id" FROM ${videosTable} v
       WHERE v."result_run_id" = ANY (ARRAY(
           SELECT DISTINCT "run_id" FROM ${qualified(db.schema, 'action_event_rows')}
           WHERE "highlight_key" IS NULL AND "type" = ANY ($1::text[]) ${ofThese}))
         AND v."status" = 'completed' AND ($2::uuid[] IS NULL OR v."id" = ANY ($2::uuid[]))
         AND ($3::uuid IS NULL OR v."id" > $3::uuid)
       ORDER BY v."id" LIMIT $4`,
      [actions, query.videoIds, query.after, query.limit],
    );
    return await db.prisma.video.findMany({
      where: { id: { in: rows.map(({ id }) => id) } },
      orderBy: { id: 'asc' },
      include: { result: { include: { events: { where: { type: { in: actions } }, orderBy: { id: 'asc' } } } } },
    });
  });
  return videos.flatMap((video) => {
    const run = video.result;
    if (run === null) return [];
    const { bucket, key, versionId, etag, width, height } = video;
    return {
      videoId: video.id,
      externalId: video.externalId,
      object: { bucket, key, versionId, etag },
      runId: run.id,
      framesPerSecond: run.framesPerSecond,
      decode: run.decode === 'fast' ? 'fast' : 'exact',
      width,
      height,
      events: run.events.map(({ id, track, type, startSeconds, frameIndex, x1, y1, x2, y2, highlightKey }) => ({
        eventId: id,
        track,
        type,
        startSeconds,
        frameIndex,
        box: [x1, y1, x2, y2] as const,
        highlightKey,
      })),
    };
  });
}

/** Names the image of an event that has none yet; false where it has one by now, or where the findings are another run's. */
export async function nameHighlight(
  db: Database,
  { runId, eventId }: Pick<UnpicturedVideo, 'runId'> & Pick<PicturedEvent, 'eventId'>,
  image: { readonly bucket: string; readonly key: string },
  signal: AbortSignal,
): Promise<boolean> {
  const changed = await databaseCall(
    db,
    'name a highlight image',
    signal,
    () => db.prisma.$executeRaw`
      UPDATE ${tableName(db.schema, 'action_event_rows')} AS "event"
      SET "highlight_bucket" = ${image.bucket}, "highlight_key" = ${image.key}
      FROM ${tableName(db.schema, 'videos')} AS "video"
      WHERE "event"."id" = ${eventId} AND "event"."run_id" = ${runId}::uuid AND "event"."highlight_key" IS NULL
        AND "video"."result_run_id" = "event"."run_id" AND "video"."status" = 'completed'`,
  );
  return changed === 1;
}
