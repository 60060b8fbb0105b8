import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { analyzeVideo, type AnalysisProgress } from '../analysis/analyze-video.ts';
import type { KeyFrame } from '../analysis/key-frames.ts';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import type { ZonePlan } from '../analysis/zones.ts';
import type { Config } from '../config/config.ts';
import { Failure } from '../failure/failure.ts';
import { readReportImages } from '../report/key-frames.ts';
import { NO_IMAGES, type ReportImages } from '../report/images.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { withDecodedFrames } from '../video/decode/decode.ts';
import { blamingTools } from '../video/tools/blame-tools.ts';
import type { FfmpegTools } from '../video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../video/probe/probe.ts';
import { createWorkspace } from '../storage/work-folder.ts';
import type { Workspace } from '../storage/workspace.ts';
import { analysisSettings, decodeSettings, readZones, videoLimits } from './job-settings.ts';
import { openModels } from './open-parts.ts';
import { openConfiguredTools } from './open-tools.ts';
import { parseS3Url } from './s3-url.ts';

export interface LocalAnalysisOptions {
  /** A file, or `s3://bucket/key`. */
  readonly source: string;
  readonly config: Config<'models'>;
  readonly device: 'cpu' | 'cuda';
  /** Pictures for a report; 0 for none. */
  readonly keyFrames: number;
  readonly onProgress: (progress: AnalysisProgress) => void;
}

export interface LocalAnalysis {
  readonly analysis: VideoAnalysis;
  readonly images: ReportImages;
}

/** Runs the chain on one video without queue and database. Everything it needed is gone when it returns. */
export async function analyzeLocally(options: LocalAnalysisOptions, signal: AbortSignal): Promise<LocalAnalysis> {
  const zones = await readZones(options.config);
  const { config } = options;
  const logger = createLogger({
    level: config.log.level === 'info' ? 'warn' : config.log.level,
    format: config.log.format,
    name: 'analyze',
  });
  const tools = await openConfiguredTools(config, logger, signal);
  return await blamingTools(tools, signal, () => analyzeWith({ tools, zones, logger }, options, signal));
}

interface Means {
  readonly tools: FfmpegTools;
  readonly zones: ZonePlan;
  readonly logger: Logger;
}

async function analyzeWith(
  { tools, zones, logger }: Means,
  options: LocalAnalysisOptions,
  signal: AbortSignal,
): Promise<LocalAnalysis> {
  const { config } = options;
  await using workspace = await createWorkspace(config.worker.workDir, 'analyze', config.worker.workDirParents);
  const file = await localFile(options.source, config, workspace, signal);
  const info = await probeVideo(tools, file, videoLimits(config), signal);
  await using models = await openModels(config, { device: options.device, videosAtOnce: 1, logger, signal });
  const { chain, describer, plan } = models;
  const settings = { ...analysisSettings(config, plan, zones), keyFrames: options.keyFrames };
  let keyFrames: readonly KeyFrame[] = [];
  const onKeyFrames = (kept: readonly KeyFrame[]): void => {
    keyFrames = kept;
  };
  const decoding = { ...decodeSettings(config, plan), framesPerSecond: settings.framesPerSecond };
  const analysis = await withDecodedFrames([tools, file, info, decoding, signal], ({ frames, footage }) =>
    analyzeVideo(
      { videoId: 'local', info, frames, footage, workspaceDir: workspace.directory },
      { chain, describer, logger, onKeyFrames },
      settings,
      options.onProgress,
      signal,
    ),
  );
  const images = options.keyFrames > 0 ? await readReportImages(analysis, keyFrames, signal) : NO_IMAGES;
  return { analysis, images };
}

async function localFile(source: string, config: Config, workspace: Workspace, signal: AbortSignal): Promise<string> {
  const object = parseS3Url(source);
  if (object === null) {
    const path = resolve(source);
    const found = await stat(path).catch(() => null);
    if (found === null || !found.isFile()) throw new Failure('OBJECT_NOT_FOUND', `there is no file ${source}`);
    return path;
  }
  const { openClients } = await import('./open-clients.ts');
  const { downloadObject, headObject } = await import('../storage/download.ts');
  using clients = openClients(config);
  const { s3 } = clients;
  const limits = { maxBytes: config.limits.maxObjectBytes, timeoutMs: 30_000 };
  const head = await headObject(s3, { ...object, versionId: null, etag: null }, limits, signal);
  const path = workspace.path('video');
  await downloadObject(s3, head, path, limits, signal);
  return path;
}
