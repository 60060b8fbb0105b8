import { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { tableName } from './bulk-insert.ts';
import type { Database } from './client.ts';
import { databaseCall, databaseTransaction } from './database-call.ts';
import { errorEventRow } from './error-event.ts';

export interface SweepLimits {
  /**
   * How long after the end of its life a run is left alone, or as long as its own message's lease where that is longer: a frozen worker
   * whose lease still lives is not dead.
   */
  readonly graceSeconds: number;
  /** A video that nothing was heard of for so long has no message any more: as long as a queue keeps one. */
  readonly pendingSeconds: number;
  /** Who sweeps. */
  readonly worker: string;
}

/** No queue keeps one receive of a message hidden for longer; after its last one it is moved away. */
const IN_FLIGHT_SECONDS = 43_200;

export interface Swept {
  /** Runs whose worker is gone. */
  readonly runs: number;
  /** Videos whose message is gone. */
  readonly videos: number;
}

/**
 * Ends what nobody works on any more, and says so in the rows. Each run is ended in a transaction of its own under its video's row lock, and
 * what somebody else holds is passed over: any worker may sweep, and two at once do it once. A worker that comes back finds its run ended,
 * as if another one had taken it over.
 */
export async function sweepRuns(db: Database, limits: SweepLimits, signal: AbortSignal): Promise<Swept> {
  return {
    runs: await untilNone(() =>
      databaseTransaction(db, 'end a run', signal, (tx) => endLostRun(tx, db.schema, limits)),
    ),
    videos: await untilNone(() =>
      databaseTransaction(db, 'end a video', signal, (tx) => endUnheardVideo(tx, db.schema, limits)),
    ),
  };
}

async function untilNone(sweepOne: () => Promise<boolean>): Promise<number> {
  let swept = 0;
  while (await sweepOne()) swept += 1;
  return swept;
}

/** Seconds until the first of the runs under way would be ended if nothing is heard of it any more; null when there is none. */
export async function nextLostRun(
  db: Database,
  { graceSeconds }: SweepLimits,
  signal: AbortSignal,
): Promise<number | null> {
  return await databaseCall(db, 'look for runs under way', signal, async () => {
    const [next] = await db.prisma.$queryRaw<{ seconds: number | null }[]>`
      SELECT EXTRACT(EPOCH FROM min("alive_until" + make_interval(secs => GREATEST(${graceSeconds}::float8, "lease_seconds")))
        - clock_timestamp())::float8 AS "seconds"
      FROM ${tableName(db.schema, 'analysis_runs')} WHERE "outcome" = 'running'`;
    return next?.seconds ?? null;
  });
}

interface LostRun {
  readonly id: string;
  readonly video_id: string;
  readonly fencing_token: number;
  readonly worker: string;
  readonly message_id: string | null;
  readonly last_receive: boolean;
  readonly bucket: string;
  readonly key: string;
  readonly silent_seconds: number;
}

async function endLostRun(tx: Prisma.TransactionClient, schema: string, limits: SweepLimits): Promise<boolean> {
  const runs = tableName(schema, 'analysis_runs');
  const videos = tableName(schema, 'videos');
  const [run] = await tx.$queryRaw<LostRun[]>`
    SELECT r."id", r."video_id", r."fencing_token", r."worker", r."message_id", r."last_receive", v."bucket", v."key",
      EXTRACT(EPOCH FROM clock_timestamp() - r."alive_until")::float8 AS "silent_seconds"
    FROM ${runs} r JOIN ${videos} v ON v."id" = r."video_id"
    WHERE r."outcome" = 'running' AND r."alive_until" < clock_timestamp()
      - make_interval(secs => GREATEST(${limits.graceSeconds}::float8, r."lease_seconds"))
    ORDER BY r."alive_until" LIMIT 1 FOR UPDATE OF v SKIP LOCKED`;
  if (run === undefined) return false;
  const failure = new Failure(
    'WORKER_LOST',
    `worker ${run.worker} gave no sign of life any more, for ${Math.round(run.silent_seconds)} s after its run counted as alive; ${
      run.last_receive ? 'its message was at its last receive' : 'its message comes back'
    }`,
    { details: { foundBy: limits.worker } },
  );
  // Under the lock of the video alone, the run may have shown a sign of life since.
  const ended = await tx.$executeRaw`
    UPDATE ${runs} SET "outcome" = 'failed', "finished_at" = clock_timestamp(), "failure_code" = ${failure.code},
      "failure_class" = ${failure.class}, "failure_reason" = ${failure.message}
    WHERE "id" = ${run.id}::uuid AND "outcome" = 'running' AND "alive_until" < clock_timestamp()
      - make_interval(secs => GREATEST(${limits.graceSeconds}::float8, "lease_seconds"))`;
  if (ended === 0) return true;
  // The video of a run that has lost its token is somebody else's.
  await tx.$executeRaw`
    UPDATE ${videos} SET "status" = ${run.last_receive ? 'failed' : 'pending'}, "progress" = 0, "stage" = NULL,
      "failure_code" = ${failure.code}, "updated_at" = clock_timestamp()
    WHERE "id" = ${run.video_id}::uuid AND "fencing_token" = ${run.fencing_token} AND "status" = 'processing'`;
  const { bucket, key, worker } = run;
  const context = {
    job: { bucket, key },
    worker,
    externalId: await idOfMessage(tx, run),
    ...(run.message_id === null ? {} : { messageId: run.message_id }),
  };
  const row = { ...errorEventRow(failure, context), videoId: run.video_id, runId: run.id };
  await tx.errorEvent.create({ data: row, select: { id: true } });
  return true;
}

async function idOfMessage(tx: Prisma.TransactionClient, { video_id, message_id }: LostRun): Promise<string | null> {
  if (message_id === null) return null;
  const id = await tx.videoId.findFirst({
    where: { videoId: video_id, messageId: message_id },
    select: { externalId: true },
  });
  return id?.externalId ?? null;
}

interface UnheardVideo {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly failure_code: string | null;
  readonly unheard_seconds: number;
}

/**
 * A video has waited in vain after the time for which any queue keeps a message; or after the longest receive, where the newest message of each
 * of its ids was at its last one: a worker that is killed before its claim leaves no run behind.
 */
async function endUnheardVideo(tx: Prisma.TransactionClient, schema: string, limits: SweepLimits): Promise<boolean> {
  const runs = tableName(schema, 'analysis_runs');
  const videos = tableName(schema, 'videos');
  const ids = tableName(schema, 'video_ids');
  const [video] = await tx.$queryRaw<UnheardVideo[]>`
    SELECT v."id", v."bucket", v."key", v."failure_code",
      EXTRACT(EPOCH FROM clock_timestamp() - v."updated_at")::float8 AS "unheard_seconds"
    FROM ${videos} v CROSS JOIN LATERAL (
      SELECT clock_timestamp() - make_interval(secs => ${limits.pendingSeconds}::float8) AS "any",
        clock_timestamp() - make_interval(secs => LEAST(${limits.pendingSeconds}::float8, ${IN_FLIGHT_SECONDS}::float8)) AS "last"
    ) cutoff
    WHERE v."status" IN ('pending', 'processing') AND v."created_at" < cutoff."last" AND v."updated_at" < cutoff."last"
      AND (v."updated_at" < cutoff."any" OR (
        SELECT bool_and(i."last_receive" AND i."updated_at" < cutoff."last") FROM ${ids} i WHERE i."video_id" = v."id"))
      AND NOT EXISTS (SELECT 1 FROM ${runs} r WHERE r."video_id" = v."id" AND r."outcome" = 'running')
    ORDER BY v."created_at" LIMIT 1 FOR UPDATE OF v SKIP LOCKED`;
  if (video === undefined) return false;
  const { bucket, key } = video;
  const last = video.failure_code === null ? '' : `; the last failure was ${video.failure_code}`;
  const failure = new Failure(
    'WORKER_LOST',
    `nothing was heard of the video for ${Math.round(video.unheard_seconds)} s, and its message is gone${last}`,
    { details: { foundBy: limits.worker } },
  );
  // What it failed of the last time says more than that nobody came back to it.
  await tx.$executeRaw`
    UPDATE ${videos} SET "status" = 'failed', "progress" = 0, "stage" = NULL,
      "failure_code" = COALESCE("failure_code", ${failure.code}), "updated_at" = clock_timestamp()
    WHERE "id" = ${video.id}::uuid`;
  const row = { ...errorEventRow(failure, { job: { bucket, key }, worker: limits.worker }), videoId: video.id };
  await tx.errorEvent.create({ data: row, select: { id: true } });
  return true;
}
