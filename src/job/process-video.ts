import { analyzeVideo } from '../analysis/analyze-video.ts';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import type { Disposition } from '../failure/disposition.ts';
import { toFailure } from '../failure/classify.ts';
import { withRetries } from '../failure/retry.ts';
import type { Run } from '../persistence/claim-run.ts';
import { completeRun } from '../persistence/complete-run.ts';
import { discardUnseenRows } from '../persistence/discard-rows.ts';
import { isFolderKey, type Job } from '../queue/messages/job.ts';
import { registerRequest } from '../persistence/register-request.ts';
import { downloadObject, headObject, type ObjectHead } from '../storage/download.ts';
import { WorkDirSpace } from '../storage/work-dir-space.ts';
import { checkTools } from '../video/check/check-tools.ts';
import { withDecodedFrames } from '../video/decode/decode.ts';
import { probeVideo } from '../video/probe/probe.ts';
import type { ProbedVideo } from '../video/probed-video.ts';
import type { ProcessJob } from '../worker/delivery.ts';
import { claimVideo } from './claim-video.ts';
import { endWithError, leaveContent } from './end-with-error.ts';
import type { JobContext, VideoProcessorDeps, VideoProcessorSettings } from './job-context.ts';
import { JobStages } from './job-stages.ts';
import { isOwnOutput } from './own-output.ts';
import { withRowBudget } from './row-budget-chain.ts';
import { createRunReporter, type RunReporter } from './run-reporter.ts';
import { tellMissingFootage } from './tell-missing-footage.ts';
import { ToolCheck } from './tool-check.ts';
import { StoreDoubt } from './store-doubt.ts';
import { uploadHighlights } from './upload-highlights.ts';
import { waitForSpace } from './wait-for-space.ts';

/** A message that is done should not wait for long for somebody else's rows to go. */
const DISCARD_TIMEOUT_MS = 30_000;

/**
 * Builds the job function: register, head, claim, download, probe, analyse, highlights, store, in that order.
 * It returns a disposition for every outcome and leaves no file, child process or frame behind.
 */
export function createVideoProcessor(deps: VideoProcessorDeps, settings: VideoProcessorSettings): ProcessJob {
  const { workFolder } = deps;
  const shared = {
    toolCheck: new ToolCheck({
      folder: workFolder,
      check: (folder, stop) => checkTools(deps.tools, folder, settings.decode.threads, stop),
    }),
    space: new WorkDirSpace(workFolder, deps.measureWorkDir),
    storeDoubt: new StoreDoubt(),
  };
  return async (delivery, signal) => {
    const logger = deps.logger.child({
      correlationId: delivery.correlationId,
      bucket: delivery.job.bucket,
      key: delivery.job.key,
    });
    const context: JobContext = { deps, settings, delivery, logger, signal, stages: new JobStages(), shared };
    const { videoId, source, priority } = delivery.job;
    const { receiveCount, isAgain } = delivery;
    logger[isAgain === true ? 'debug' : 'info']({ videoId, source, priority, receiveCount }, 'a job begins');
    try {
      return await runJob(context);
    } catch (error) {
      return await endWithError(context, error, null);
    }
  };
}

/** How often a job begins again because its key was uploaded anew while it ran. */
const MAX_REPLACEMENTS = 3;
/** Between two uploads of a key that never rests. */
const REPLACED_SECONDS = 30;

async function runJob(context: JobContext): Promise<Disposition> {
  const { job } = context.delivery;
  const reason = isAskedFor(job) ? null : context.settings.ignores(job);
  if (reason !== null) return ignored(context, reason);
  await registerId(context);
  for (let replaced = 0; replaced < MAX_REPLACEMENTS; replaced++) {
    const disposition = await runContent(context);
    if (disposition !== 'replaced') return disposition;
  }
  return waitForObject(REPLACED_SECONDS, 'its key is uploaded again and again');
}

function waitForObject(afterSeconds: number, detail: string): Disposition {
  return { kind: 'wait', why: 'object', afterSeconds, detail, otherwise: null };
}

/** Whoever named an id waits for an answer: such a message is never ignored. */
function isAskedFor({ videoId }: Job): boolean {
  return videoId !== null;
}

function ignored({ logger }: JobContext, reason: string): Disposition {
  logger.info(`ignored: ${reason}`);
  return { kind: 'ack', outcome: 'ignored' };
}

/** Runs the job on what its key holds now. `replaced`: it held something else before that was analysed. */
async function runContent(context: JobContext): Promise<Disposition | 'replaced'> {
  const { logger } = context;
  const head = await headOf(context);
  if (typeof head === 'string') return ignored(context, head);
  const claim = await context.stages.step('claim', () => claimVideo(context, head));
  if (claim.kind === 'completed') {
    logger.info({ videoId: claim.externalId }, 'already analysed, acknowledged without work');
    return { kind: 'ack', outcome: 'duplicate' };
  }
  if (claim.kind === 'running') {
    logger.debug({ worker: claim.worker }, 'another worker is on it');
    return waitForObject(claim.retryAfterSeconds, `worker ${claim.worker} is on it`);
  }
  try {
    await runClaimed(context, claim.run, head);
    return { kind: 'ack', outcome: 'completed' };
  } catch (error) {
    if (wasSuperseded(context, error)) {
      logger.warn({ videoId: claim.run.externalId }, 'another run has taken the video over, or declared this one dead');
      return waitForObject(context.settings.aliveSeconds, 'another run has taken it over');
    }
    if (!wasReplaced(context, error)) {
      return (await waitForSpace(context, error, claim.run)) ?? (await endWithError(context, error, claim.run));
    }
    logger.info(
      { videoId: claim.run.externalId },
      'uploaded again before it was read: the job begins again with what is there now',
    );
    await leaveContent(context, claim.run, toFailure(error));
    return 'replaced';
  }
}

/** The object of the job, or why it asks for nothing. */
async function headOf({ deps, settings, delivery, signal, stages, shared }: JobContext): Promise<ObjectHead | string> {
  const { job } = delivery;
  try {
    const head = await stages.step('head', () =>
      withRetries(() => shared.storeDoubt.ask(job, () => headObject(deps.s3, job, settings.download, signal)), {
        signal,
      }),
    );
    return (isAskedFor(job) ? null : isOwnOutput(head)) ?? head;
  } catch (error) {
    const isFolder = isFolderKey(job.key) && !signal.aborted && toFailure(error).code === 'OBJECT_EMPTY';
    if (isFolder && !isAskedFor(job)) return 'the mark of a folder';
    throw error;
  }
}

/** No fault of the video: the worker was frozen for longer than a run counts as alive, and its lease may live on. */
function wasSuperseded({ signal }: JobContext, error: unknown): boolean {
  return !signal.aborted && toFailure(error).code === 'RUN_SUPERSEDED';
}

/** A message that names no content means whatever its key holds: that this became something else is no fault of the video. */
function wasReplaced({ delivery, signal }: JobContext, error: unknown): boolean {
  const { etag, versionId } = delivery.job;
  // The version called null is overwritten like an object without versions.
  const namesContent = etag !== null || (versionId !== null && versionId !== 'null');
  return !namesContent && !signal.aborted && toFailure(error).code === 'OBJECT_CHANGED';
}

/** Before anything can go wrong with the object: whoever polls for the id finds it, whatever happens next. */
async function registerId({ deps, settings, delivery, signal, stages }: JobContext): Promise<void> {
  const { job, messageId, isLastReceive } = delivery;
  const externalId = job.videoId;
  if (externalId === null) return;
  const request = { externalId, object: job, messageId, isLastReceive, worker: settings.workerId };
  await stages.step('register', () => withRetries(() => registerRequest(deps.database, request, signal), { signal }));
}

async function runClaimed(outer: JobContext, run: Run, head: ObjectHead): Promise<void> {
  const { deps, settings, logger, stages, shared } = outer;
  await using reporter = createRunReporter({
    database: deps.database,
    run,
    aliveSeconds: settings.aliveSeconds,
    logger,
  });
  // The reporter's signal also fires when another worker has taken the run over: there is no point in going on then.
  const context = { ...outer, signal: AbortSignal.any([outer.signal, reporter.signal]) };
  await using workspace = await stages.step('download', () => deps.workFolder.workspace(run.runId));
  // The object's key never becomes a path: a fixed name in the private workspace.
  const video = { file: workspace.path('video'), videoId: run.externalId, workspaceDir: workspace.directory };
  await stages.step('download', async () => {
    reporter.report({ percent: 0, stage: 'download' });
    using _room = await shared.space.claim(video.file, head.sizeBytes);
    await downloadObject(deps.s3, head, video.file, settings.download, context.signal);
  });
  const doubting = <T>(work: () => Promise<T>): Promise<T> =>
    shared.toolCheck.doubting({ path: video.file, sizeBytes: head.sizeBytes }, context.signal, work);
  const info = await doubting(() =>
    stages.step('probe', async () => {
      reporter.report({ percent: 1, stage: 'probe' });
      return await probeVideo(deps.tools, video.file, settings.video, context.signal);
    }),
  );
  const analysis = await doubting(() => stages.step('analysis', () => analyse(context, { ...video, info }, reporter)));
  deps.onAnalysed?.(analysis);
  const pictured = await stages.step('highlights', () => uploadHighlights(context, analysis));
  await stages.step('store', () => store(context, { run, analysis: pictured, reporter }));
}

interface LocalVideo {
  readonly file: string;
  readonly videoId: string;
  readonly workspaceDir: string;
  readonly info: ProbedVideo;
}

async function analyse(context: JobContext, video: LocalVideo, reporter: RunReporter): Promise<VideoAnalysis> {
  const { deps, settings, delivery, logger, signal, stages } = context;
  const { file, ...subject } = video;
  const options = { ...settings.decode, framesPerSecond: settings.analysis.framesPerSecond };
  return await withDecodedFrames([deps.tools, file, video.info, options, signal], ({ frames, footage }) =>
    analyzeVideo(
      { ...subject, frames: stages.frames(frames), footage },
      {
        chain: withRowBudget(stages.chain(deps.chain), settings.maxResultRows),
        describer: stages.describer(deps.describer),
        logger,
      },
      settings.analysis,
      (progress) => {
        reporter.report(progress);
        deps.onProgress?.(delivery.job, progress);
      },
      signal,
    ),
  );
}

interface Result {
  readonly run: Run;
  readonly analysis: VideoAnalysis;
  readonly reporter: RunReporter;
}

async function store(context: JobContext, { run, analysis, reporter }: Result): Promise<void> {
  const { deps, settings, delivery, logger, signal } = context;
  await delivery.confirmLease();
  const storing = {
    highlightsBucket: settings.highlightsBucket,
    maxRows: settings.maxResultRows,
    retry: async <T>(statement: () => Promise<T>): Promise<T> => await withRetries(statement, { signal }),
    // Storing many rows takes its time: what counts is who holds the message when readers come to see them.
    beforeSwitch: () => delivery.confirmLease(),
  };
  await reporter.ending(() => completeRun(deps.database, run, analysis, storing, signal));
  logger.info(
    {
      videoId: run.externalId,
      tracks: analysis.tracks.length,
      events: analysis.events.length,
      frames: analysis.sampling.frames,
      totalMs: Math.round(analysis.timings.totalMs),
      work: analysis.work,
    },
    'analysis stored',
  );
  tellMissingFootage(logger, run.externalId, analysis);
  deps.onStored?.(analysis);
  await discardFormerRows(context, run);
}

/** Best effort: what readers see is stored, and rows that stay are found again later. */
async function discardFormerRows({ deps, logger, signal }: JobContext, run: Run): Promise<void> {
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(DISCARD_TIMEOUT_MS)]);
    const rows = await discardUnseenRows(deps.database, run.videoId, limited);
    if (rows > 0) logger.info({ videoId: run.externalId, rows }, 'rows of former runs deleted');
  } catch (error) {
    logger.warn({ err: error, videoId: run.externalId }, 'rows of former runs are left to be deleted later');
  }
}
