import type { S3Client } from '@aws-sdk/client-s3';
import { analyzeVideo, type AnalysisProgress } from '../analysis/analyze-video.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import type { SceneDescriber } from '../scene/scene.ts';
import type { AnalysisSettings } from '../analysis/settings.ts';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { toFailure } from '../failure/classify.ts';
import { withRetries } from '../failure/retry.ts';
import { Failure, Interruption, withStage } from '../failure/failure.ts';
import type { Database } from '../persistence/client.ts';
import { derivedVideoId, jobIdentity } from '../persistence/identity.ts';
import { claimRun, completeRun, failRun, interruptRun, recordRejection, type Run } from '../persistence/runs.ts';
import type { Job } from '../queue/messages/job.ts';
import type { Logger } from '../telemetry/logger.ts';
import { withDecodedFrames, type DecodeOptions } from '../video/decode.ts';
import { downloadObject, headObject, type DownloadLimits, type ObjectHead } from '../storage/download.ts';
import type { FfmpegTools } from '../video/ffmpeg-binary.ts';
import { probeVideo, type VideoLimits } from '../video/probe.ts';
import { uploadFile } from '../storage/upload-file.ts';
import { createWorkspace, type Workspace } from '../storage/workspace.ts';
import type { Delivery, ProcessJob } from '../worker/delivery.ts';
import type { Disposition } from '../failure/disposition.ts';
import { JobStages } from './job-stages.ts';
import { rejectRecorded } from '../failure/reject-or-retry.ts';
import { retryDelaySeconds } from '../failure/retry-delay.ts';
import { createRunReporter } from './run-reporter.ts';

export interface VideoProcessorDeps {
  readonly database: Database;
  readonly s3: S3Client;
  readonly tools: FfmpegTools;
  readonly chain: ModelChain;
  readonly describer: SceneDescriber | null;
  readonly logger: Logger;
  /** Told of every step of every job, for metrics and the operator's console. */
  readonly onProgress?: (job: Job, progress: AnalysisProgress) => void;
  /** Told of every analysis that was made, stored or not. */
  readonly onAnalysed?: (analysis: VideoAnalysis) => void;
}

export interface VideoProcessorSettings {
  readonly workerId: string;
  readonly workDir: string;
  readonly analysis: AnalysisSettings;
  readonly decode: Omit<DecodeOptions, 'framesPerSecond'>;
  readonly download: DownloadLimits;
  readonly video: VideoLimits;
  /** Null: highlight images are not kept. */
  readonly highlightsBucket: string | null;
  /** How long a run counts as alive without a sign of life from its worker. */
  readonly aliveSeconds: number;
}

const RECORD_TIMEOUT_MS = 20_000;

interface JobContext {
  readonly deps: VideoProcessorDeps;
  readonly settings: VideoProcessorSettings;
  readonly delivery: Delivery;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly stages: JobStages;
}

/**
 * Builds the job function: head, claim, download, probe, decode and analyse, store, in that order.
 * It returns a disposition for every outcome and leaves no file, child process or frame behind.
 */
export function createVideoProcessor(deps: VideoProcessorDeps, settings: VideoProcessorSettings): ProcessJob {
  return async (delivery, signal) => {
    const logger = deps.logger.child({
      correlationId: delivery.correlationId,
      bucket: delivery.job.bucket,
      key: delivery.job.key,
    });
    const context: JobContext = { deps, settings, delivery, logger, signal, stages: new JobStages() };
    const { videoId, source, priority } = delivery.job;
    logger.info({ videoId, source, priority, receiveCount: delivery.receiveCount }, 'a job begins');
    try {
      return await runJob(context);
    } catch (error) {
      return await disposeOfError(context, error, null);
    }
  };
}

async function runJob(context: JobContext): Promise<Disposition> {
  const { deps, settings, delivery, signal } = context;
  const { job } = delivery;
  const head = await withRetries(() => headObject(deps.s3, job, settings.download, signal), { signal });
  const object = { bucket: job.bucket, key: job.key, versionId: head.versionId, etag: head.etag };
  const sampling = {
    framesPerSecond: settings.analysis.framesPerSecond,
    attributes: settings.analysis.attributes,
  };
  context.stages.current = 'claim';
  const claim = await withRetries(
    () =>
      claimRun(
        deps.database,
        {
          identity: jobIdentity({ ...object, packFingerprint: deps.chain.description.packFingerprint, sampling }),
          externalId: job.videoId ?? derivedVideoId(object),
          object,
          worker: settings.workerId,
          pack: { name: deps.chain.description.packName, fingerprint: deps.chain.description.packFingerprint },
          sampling,
          aliveSeconds: settings.aliveSeconds,
        },
        signal,
      ),
    { signal },
  );
  if (claim.kind === 'completed') {
    context.logger.info({ videoId: claim.externalId }, 'already analysed, acknowledged without work');
    return { kind: 'ack', outcome: 'duplicate' };
  }
  if (claim.kind === 'running') {
    context.logger.info({ worker: claim.worker }, 'another worker is on it');
    return { kind: 'defer', afterSeconds: claim.retryAfterSeconds, reason: `worker ${claim.worker} is on it` };
  }
  try {
    await runClaimed(context, claim.run, head);
    return { kind: 'ack', outcome: 'completed' };
  } catch (error) {
    return await disposeOfError(context, error, claim.run);
  }
}

async function runClaimed(context: JobContext, run: Run, head: ObjectHead): Promise<void> {
  const { deps, settings } = context;
  // The reporter's signal also fires when another worker has taken the run over: there is no point in going on then.
  await using reporter = createRunReporter({
    database: deps.database,
    run,
    aliveSeconds: settings.aliveSeconds,
    logger: context.logger,
  });
  const signal = AbortSignal.any([context.signal, reporter.signal]);
  await using workspace = await createWorkspace(settings.workDir, run.runId);
  const analysis = await analyse({ ...context, signal }, { run, head, workspace, reporter });
  deps.onAnalysed?.(analysis);
  context.stages.current = 'highlights';
  await uploadHighlights({ ...context, signal }, analysis);
  context.stages.current = 'store';
  await context.delivery.confirmLease();
  await reporter.ending(() =>
    withRetries(() => completeRun(deps.database, run, analysis, settings.highlightsBucket, signal), { signal }),
  );
  context.logger.info(
    {
      videoId: run.externalId,
      tracks: analysis.tracks.length,
      events: analysis.events.length,
      ...timingFields(analysis),
    },
    'analysis stored',
  );
}

interface AnalysisParts {
  readonly run: Run;
  readonly head: ObjectHead;
  readonly workspace: Workspace;
  readonly reporter: { report(progress: { percent: number; stage: string }): void };
}

async function analyse(context: JobContext, parts: AnalysisParts): Promise<VideoAnalysis> {
  const { deps, settings, delivery, signal, stages } = context;
  // The object's key never becomes a path: a fixed name in the private workspace.
  const path = parts.workspace.path('video');
  const ref = {
    bucket: delivery.job.bucket,
    key: delivery.job.key,
    versionId: parts.head.versionId,
    etag: parts.head.etag,
  };
  stages.current = 'download';
  parts.reporter.report({ percent: 0, stage: 'download' });
  await downloadObject(deps.s3, ref, path, settings.download, signal);
  stages.current = 'probe';
  parts.reporter.report({ percent: 1, stage: 'probe' });
  const info = await probeVideo(deps.tools, path, settings.video, signal);
  const options = { ...settings.decode, framesPerSecond: settings.analysis.framesPerSecond };
  stages.current = 'analysis';
  return await withDecodedFrames([deps.tools, path, info, options, signal], (decoded) =>
    analyzeVideo(
      {
        videoId: parts.run.externalId,
        info,
        frames: stages.frames(decoded),
        workspaceDir: parts.workspace.directory,
      },
      { chain: stages.chain(deps.chain), describer: stages.describer(deps.describer), logger: context.logger },
      settings.analysis,
      (progress) => {
        parts.reporter.report(progress);
        deps.onProgress?.(delivery.job, progress);
      },
      signal,
    ),
  );
}

async function uploadHighlights(context: JobContext, analysis: VideoAnalysis): Promise<void> {
  const bucket = context.settings.highlightsBucket;
  if (bucket === null) return;
  for (const event of analysis.events) {
    if (event.highlight === null) continue;
    const { key, file } = event.highlight;
    await withRetries(
      () => uploadFile(context.deps.s3, { bucket, key, contentType: 'image/jpeg' }, file, context.signal),
      { signal: context.signal },
    );
  }
}

async function disposeOfError(context: JobContext, error: unknown, run: Run | null): Promise<Disposition> {
  const { deps, delivery, logger, signal } = context;
  const reason: unknown = signal.aborted ? signal.reason : null;
  if (reason instanceof Interruption && reason.kind !== 'deadline') {
    // The bookkeeping of an interruption is best effort: the run's own deadline frees it in any case.
    if (run !== null) await quietly(logger, () => interruptRun(deps.database, run, AbortSignal.timeout(5_000)));
    return { kind: 'abandon', why: reason.kind };
  }
  const stage = context.stages.of(error);
  const failure = withStage(
    reason instanceof Interruption ? new Failure('JOB_DEADLINE', reason.message, { cause: error }) : toFailure(error),
    stage,
  );
  logger[failure.class === 'permanent' ? 'warn' : 'error']({ err: failure, code: failure.code, stage }, 'job failed');
  const record = (): Promise<void> =>
    run === null
      ? recordRejection(
          deps.database,
          { messageId: delivery.messageId, failure, job: delivery.job },
          AbortSignal.timeout(5_000),
        )
      : failRun(deps.database, run, failure, AbortSignal.timeout(5_000));
  if (failure.class === 'permanent') return await reject(context, failure, record);
  await quietly(logger, record);
  if (failure.class === 'system') return { kind: 'halt', failure };
  return { kind: 'retry', afterSeconds: retryDelaySeconds(failure, delivery.receiveCount), failure };
}

async function reject(
  { delivery, logger, signal }: JobContext,
  failure: Failure,
  record: () => Promise<void>,
): Promise<Disposition> {
  // The signal of a job that ran out of its time has fired already.
  const limit = AbortSignal.timeout(RECORD_TIMEOUT_MS);
  const disposition = await rejectRecorded(failure, delivery.receiveCount, async () => {
    try {
      await withRetries(record, { signal: signal.aborted ? limit : AbortSignal.any([signal, limit]) });
    } catch (error) {
      logger.warn({ err: error }, 'the rejection could not be written to the database');
      throw error;
    }
  });
  const reason: unknown = signal.aborted ? signal.reason : null;
  const isInterrupted = reason instanceof Interruption && reason.kind !== 'deadline';
  return isInterrupted && disposition.kind === 'retry' ? { kind: 'abandon', why: reason.kind } : disposition;
}

async function quietly(logger: Logger, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logger.warn({ err: error }, 'the outcome could not be written to the database');
  }
}

function timingFields(analysis: VideoAnalysis): Record<string, number> {
  return { frames: analysis.sampling.frames, totalMs: Math.round(analysis.timings.totalMs) };
}
