import type { Prisma } from '../../generated/prisma/client.ts';
import type { Database } from '../client.ts';
import { databaseCall } from '../database-call.ts';

export type VideoStatus = 'pending' | 'processing' | 'completed' | 'failed';
export type RunOutcome = 'running' | 'completed' | 'failed' | 'interrupted' | 'superseded';

const WITH_LAST_RUN = {
  runs: { orderBy: { fencingToken: 'desc' }, take: 1 },
} as const satisfies Prisma.VideoInclude;

type VideoRow = Prisma.VideoGetPayload<{ include: typeof WITH_LAST_RUN }>;

/** The last run of a video, as far as an operator wants to know it. */
export interface RunSummary {
  readonly runId: string;
  readonly attempt: number;
  readonly worker: string;
  readonly packName: string;
  readonly outcome: RunOutcome;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  /** Past for a run that is under way: its worker has shown no sign of life. */
  readonly aliveUntil: Date;
  readonly failureCode: string | null;
  readonly failureReason: string | null;
}

export interface VideoRecord {
  readonly videoId: string;
  readonly identity: string;
  readonly externalId: string;
  readonly bucket: string;
  readonly key: string;
  readonly status: VideoStatus;
  /** Percent. */
  readonly progress: number;
  readonly stage: string | null;
  readonly failureCode: string | null;
  readonly attempts: number;
  readonly durationSeconds: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly completedAt: Date | null;
  readonly run: RunSummary | null;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Finds a video by the backend's id, its identity or its primary key; the newest where several packs saw it. */
export async function findVideo(db: Database, reference: string, signal: AbortSignal): Promise<VideoRecord | null> {
  return await databaseCall(db, 'look the video up', signal, async () => {
    const byKey = UUID.test(reference) ? [{ id: reference }] : [];
    const row = await db.prisma.video.findFirst({
      where: { OR: [{ externalId: reference }, { identity: reference }, ...byKey] },
      orderBy: { createdAt: 'desc' },
      include: WITH_LAST_RUN,
    });
    return row === null ? null : videoRecord(row);
  });
}

export interface VideoFilter {
  /** Newest first; 50 when absent. */
  readonly limit?: number;
  readonly status?: VideoStatus;
}

/** Lists videos, newest first. */
export async function listVideos(db: Database, filter: VideoFilter, signal: AbortSignal): Promise<VideoRecord[]> {
  return await databaseCall(db, 'list the videos', signal, async () => {
    const rows = await db.prisma.video.findMany({
      where: filter.status === undefined ? {} : { status: filter.status },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: filter.limit ?? 50,
      include: WITH_LAST_RUN,
    });
    return rows.map(videoRecord);
  });
}

/** How many videos are in each status; a status without a video is 0. */
export async function countVideos(db: Database, signal: AbortSignal): Promise<Readonly<Record<VideoStatus, number>>> {
  return await databaseCall(db, 'count the videos', signal, async () => {
    const groups = await db.prisma.video.groupBy({ by: ['status'], _count: true });
    const count = (status: VideoStatus): number => groups.find((group) => group.status === status)?._count ?? 0;
    return {
      pending: count('pending'),
      processing: count('processing'),
      completed: count('completed'),
      failed: count('failed'),
    };
  });
}

export interface ErrorRecord {
  readonly occurredAt: Date;
  readonly code: string;
  readonly class: string;
  readonly reason: string;
  readonly videoId: string | null;
  readonly messageId: string | null;
  readonly bucket: string | null;
  readonly key: string | null;
  readonly worker: string | null;
}

/** The last recorded failures, newest first. */
export async function listErrors(db: Database, limit: number, signal: AbortSignal): Promise<ErrorRecord[]> {
  return await databaseCall(db, 'list the failures', signal, () =>
    db.prisma.errorEvent.findMany({
      orderBy: { id: 'desc' },
      take: limit,
      select: {
        occurredAt: true,
        code: true,
        class: true,
        reason: true,
        videoId: true,
        messageId: true,
        bucket: true,
        key: true,
        worker: true,
      },
    }),
  );
}

function videoRecord(row: VideoRow): VideoRecord {
  const [run] = row.runs;
  return {
    videoId: row.id,
    identity: row.identity,
    externalId: row.externalId,
    bucket: row.bucket,
    key: row.key,
    status: row.status as VideoStatus,
    progress: row.progress,
    stage: row.stage,
    failureCode: row.failureCode,
    attempts: row.attempts,
    durationSeconds: row.durationSeconds,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    completedAt: row.completedAt,
    run: run === undefined ? null : runSummary(run),
  };
}

function runSummary(run: VideoRow['runs'][number]): RunSummary {
  return {
    runId: run.id,
    attempt: run.attempt,
    worker: run.worker,
    packName: run.packName,
    outcome: run.outcome as RunOutcome,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    aliveUntil: run.aliveUntil,
    failureCode: run.failureCode,
    failureReason: run.failureReason,
  };
}
