import { setImmediate as turn } from 'node:timers/promises';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { insertChunk } from './bulk-insert.ts';
import type { Run } from './claim-run.ts';
import type { Database } from './client.ts';
import { databaseCall, databaseTransaction } from './database-call.ts';
import { lockHeldRun } from './end-run.ts';
import { checkRowBudget } from './row-budget.ts';
import { rowChunks, type RowChunk } from './row-chunks.ts';
import { analysisRows, countRows } from './rows.ts';

/** How a result is stored. */
export interface Storing {
  /** Null: highlight images are not kept. */
  readonly highlightsBucket: string | null;
  /** Rows that a result may have; no limit when absent. */
  readonly maxRows?: number;
  /** Runs each statement; one that fails for now may be run again, whatever became of it. Once when absent. */
  readonly retry?: <T>(statement: () => Promise<T>) => Promise<T>;
  /** Called when all rows are there and nobody sees them yet; what it throws leaves it so. */
  readonly beforeSwitch?: () => Promise<void>;
}

/**
 * Stores the result of a run: its rows chunk by chunk, which no reader sees, then one small transaction that shows them
 * in place of an earlier result. Memory stays flat and no statement is long, however many rows there are. Only the
 * holder of the token may: another run's claim makes this throw `Failure('RUN_SUPERSEDED')` and show nothing.
 * Calling it again goes on where the last call ended; after a commit whose answer was lost that is not an error.
 */
export async function completeRun(
  db: Database,
  run: Run,
  analysis: VideoAnalysis,
  storing: Storing,
  signal: AbortSignal,
): Promise<void> {
  const { retry = (statement) => statement(), maxRows = Infinity } = storing;
  const total = countRows(analysis);
  checkRowBudget(total, maxRows);
  const rows = analysisRows(analysis, storing.highlightsBucket);
  const call = async <T>(work: () => Promise<T>): Promise<T> =>
    await retry(() => databaseCall(db, 'store the findings', signal, work).catch(throwOurConflict));
  const begun = await call(() => stateOf(db, run));
  if (begun.outcome === 'completed') return;
  if (begun.outcome !== 'running') throw superseded(run);
  let end = 0;
  for (const chunk of rowChunks(rows)) {
    signal.throwIfAborted();
    const from = end;
    end += chunk.rows;
    // Waiting for the database is a turn of the event loop, too; what an earlier call has stored is not waited for.
    if (end <= begun.stagedRows) await turn();
    else await call(() => storeChunk(db, run, chunk, from));
  }
  await storing.beforeSwitch?.();
  await retry(() => showResult(db, run, analysis, { total, signal }));
}

interface StagingState {
  /** The outcome stored for the run; 'lost' when the token is somebody else's or the video is gone. */
  readonly outcome: string;
  readonly stagedRows: number;
}

async function stateOf(db: Database, run: Run): Promise<StagingState> {
  const stored = await db.prisma.analysisRun.findUnique({
    where: { id: run.runId },
    select: { outcome: true, stagedRows: true, video: { select: { fencingToken: true } } },
  });
  if (stored === null || stored.video.fencingToken !== run.token) return { outcome: 'lost', stagedRows: 0 };
  return stored;
}

async function storeChunk(db: Database, run: Run, chunk: RowChunk, from: number): Promise<void> {
  if (await insertChunk(db, run, chunk, from)) return;
  const { outcome, stagedRows } = await stateOf(db, run);
  // An earlier try of this very statement got through, and only its answer was lost.
  if (outcome === 'running' && stagedRows === from + chunk.rows) return;
  throw superseded(run);
}

/** The one moment at which readers see the result, all of it at once. */
async function showResult(
  db: Database,
  run: Run,
  analysis: VideoAnalysis,
  { total, signal }: { readonly total: number; readonly signal: AbortSignal },
): Promise<void> {
  await databaseTransaction(db, 'store the analysis', signal, async (tx) => {
    const held = await lockHeldRun(tx, db.schema, run);
    if (held.state === 'completed') return;
    if (held.state !== 'running') throw superseded(run);
    const { now } = held;
    const video = await tx.video.findUnique({ where: { id: run.videoId }, select: { result: true } });
    const former = video?.result ?? null;
    if (former !== null) {
      // From here on nobody sees those rows: counted as such, they are found and deleted.
      const stagedRows = Math.max(1, former.resultRows ?? 0);
      await tx.analysisRun.update({ where: { id: former.id }, data: { stagedRows }, select: { id: true } });
    }
    await tx.analysisRun.update({
      where: { id: run.runId },
      data: {
        outcome: 'completed',
        finishedAt: now,
        stagedRows: 0,
        resultRows: total,
        device: analysis.pack.device,
        frames: analysis.sampling.frames,
        decode: analysis.sampling.decode,
        timings: toJson({ ...analysis.timings, ...besideTimings(analysis) }),
        degraded: toJson(analysis.degraded),
        ...(analysis.sceneCost === undefined ? {} : { sceneCost: toJson(analysis.sceneCost) }),
      },
      select: { id: true },
    });
    const { sizeBytes, ...facts } = analysis.video;
    await tx.video.update({
      where: { id: run.videoId },
      data: {
        ...facts,
        sizeBytes: BigInt(sizeBytes),
        resultRunId: run.runId,
        status: 'completed',
        progress: 100,
        stage: null,
        failureCode: null,
        completedAt: now,
        updatedAt: now,
      },
      select: { id: true },
    });
  });
}

/** What has no column of its own: undefined is left out. */
function besideTimings({ work, sampling: { stillPictures, actionEvery } }: VideoAnalysis): object {
  return { work, stillPictures, actionEvery };
}

/** Nobody else writes rows of this run, so what they run into is in the findings and comes again at every try. */
function throwOurConflict(error: unknown): never {
  if (!(error instanceof Failure) || !/^23(503|505)$/.test(String(error.details['external']))) throw error;
  throw new Failure('CONSTRAINT_BROKEN', error.message, { cause: error.cause, details: error.details });
}

function superseded(run: Run): Failure {
  return new Failure('RUN_SUPERSEDED', `run ${run.runId} of video ${run.externalId} lost its token to another run`, {
    details: { runId: run.runId, token: run.token },
  });
}

/** Goes through text, so that what is stored is what a reader of the JSON column gets. */
function toJson(value: object): Prisma.InputJsonValue {
  return JSON.parse(JSON.stringify(value)) as Prisma.InputJsonValue;
}
