import { analyzeVideo } from '../analysis/analyze-video.ts';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { withRetries } from '../failure/retry.ts';
import { derivedVideoId, jobIdentity } from '../persistence/identity.ts';
import { claimRun, type Run } from '../persistence/claim-run.ts';
import { completeRun } from '../persistence/end-run.ts';
import { withDecodedFrames } from '../video/decode.ts';
import { downloadObject, headObject, type ObjectHead } from '../storage/download.ts';
import { probeVideo } from '../video/probe.ts';
import { uploadFile } from '../storage/upload-file.ts';
import { createWorkspace, type Workspace } from '../storage/workspace.ts';
import type { ProcessJob } from '../worker/delivery.ts';
import type { Disposition } from '../failure/disposition.ts';
import { endWithError } from './end-with-error.ts';
import type { JobContext, VideoProcessorDeps, VideoProcessorSettings } from './job-context.ts';
import { JobStages } from './job-stages.ts';
import { createRunReporter } from './run-reporter.ts';

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
      return await endWithError(context, error, null);
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
    return await endWithError(context, error, claim.run);
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
  stages.current = 'download';
  parts.reporter.report({ percent: 0, stage: 'download' });
  await downloadObject(deps.s3, parts.head, path, settings.download, signal);
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

function timingFields(analysis: VideoAnalysis): Record<string, number> {
  return { frames: analysis.sampling.frames, totalMs: Math.round(analysis.timings.totalMs) };
}
