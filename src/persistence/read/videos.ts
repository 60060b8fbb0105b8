import type { StageFailure } from '../../analysis/video-analysis.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import type { Database } from '../client.ts';
import { databaseCall } from '../database-call.ts';
import { storedDegraded } from './stored-degraded.ts';

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
  /** What its analysis goes without; empty for a run that has not completed. */
  readonly degraded: readonly StageFailure[];
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

/** Finds a video by an id of the backend, by its own id, its identity or its primary key; the newest where several packs saw it. */
export async function findVideo(db: Database, reference: string, signal: AbortSignal): Promise<VideoRecord | null> {
  return await databaseCall(db, 'look the video up', signal, async () => {
    const named = await db.prisma.videoId.findUnique({
      where: { externalId: reference },
      select: { video: { include: WITH_LAST_RUN } },
    });
    const mapped = named?.video ?? null;
    if (mapped !== null) return videoRecord(mapped);
    const byKey = UUID.test(reference) ? [{ id: reference }] : [];
    const row = await db.prisma.video.findFirst({
      where: { OR: [{ externalId: reference }, { identity: reference }, ...byKey] },
      orderBy: { createdAt: 'desc' },
      include: WITH_LAST_RUN,
    });
    return row === null ? null : videoRecord(row);
  });
}

/** Lists videos, newest first; 50 where no limit is given. */
export async function listVideos(
  db: Database,
  { limit = 50 }: { readonly limit?: number },
  signal: AbortSignal,
): Promise<VideoRecord[]> {
  return await databaseCall(db, 'list the videos', signal, async () => {
    const rows = await db.prisma.video.findMany({
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: limit,
      include: WITH_LAST_RUN,
    });
    return rows.map(videoRecord);
  });
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
    degraded: storedDegraded(run.degraded),
  };
}
