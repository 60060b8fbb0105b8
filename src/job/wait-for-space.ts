import { toFailure } from '../failure/classify.ts';
import type { Disposition } from '../failure/disposition.ts';
import { Failure, withStage } from '../failure/failure.ts';
import type { Run } from '../persistence/claim-run.ts';
import { releaseRun } from './end-with-error.ts';
import type { JobContext } from './job-context.ts';

const LOOK_AGAIN_SECONDS = 60;
const WAIT_SECONDS = 300;

/**
 * Has a job wait under its lease, its run released, when there was no room for it in WORK_DIR; null for every other end. By now its files
 * are gone: a disk that was full with them and is not without them is this job's trouble, one that still is full is the worker's.
 */
export async function waitForSpace(context: JobContext, error: unknown, run: Run): Promise<Disposition | null> {
  const { logger, signal } = context;
  if (signal.aborted) return null;
  const lack = await lackOfSpace(context, error);
  if (lack === null) return null;
  const failure = withStage(lack, context.stages.of(error));
  logger.warn({ err: failure, code: failure.code }, 'a job waits for room in the work folder');
  await releaseRun(context, run);
  const otherwise = { afterSeconds: WAIT_SECONDS, failure };
  return { kind: 'wait', why: 'space', afterSeconds: LOOK_AGAIN_SECONDS, detail: failure.message, otherwise };
}

async function lackOfSpace({ shared }: JobContext, error: unknown): Promise<Failure | null> {
  const failure = toFailure(error);
  if (failure.code === 'WORK_DIR_SPACE') return failure;
  if (failure.code !== 'DISK_FULL') return null;
  const canWrite = await shared.space.canWrite().catch(() => false);
  if (!canWrite) return null;
  const message = `there was no room for the job beside the others, and is some without it: ${failure.message}`;
  return new Failure('WORK_DIR_SPACE', message, { cause: error, details: failure.details });
}
