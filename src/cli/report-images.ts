import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import type { Config } from '../config/config.ts';
import { withRetries } from '../failure/retry.ts';
import type { StoredAnalysis } from '../persistence/read/stored-analysis.ts';
import type { VideoRecord } from '../persistence/read/videos.ts';
import type { ReportImages } from '../report/images.ts';
import { decodeFrames } from '../video/decode/decode.ts';
import { downloadObject, headObject } from '../storage/download.ts';
import { blamingTools } from '../video/tools/blame-tools.ts';
import type { FfmpegTools } from '../video/tools/ffmpeg-binary.ts';
import { createLogger } from '../telemetry/logger.ts';
import { openConfiguredTools } from './open-tools.ts';
import { probeVideo } from '../video/probe/probe.ts';
import { createWorkspace } from '../storage/work-folder.ts';
import { decodeSettings, videoLimits } from './job-settings.ts';
import { toFailure } from '../failure/classify.ts';
import { complain } from './terminal.ts';

interface ReportSource {
  readonly config: Config;
  readonly s3: S3Client;
  readonly video: VideoRecord;
  readonly stored: StoredAnalysis;
}

const PICTURES = 8;
const PICTURE_WIDTH = 960;

/**
 * Pictures for a report that is made after the fact: the highlights from their bucket and key frames from the video,
 * decoded again. What is gone (an expired object) is left out.
 */
export async function fetchReportImages(source: ReportSource, signal: AbortSignal): Promise<ReportImages> {
  const highlights = await fetchHighlights(source, signal);
  try {
    return { highlights, keyFrames: await cutKeyFrames(source, signal) };
  } catch (error) {
    complain(`no key frames: ${toFailure(error).message}`);
    return { highlights, keyFrames: [] };
  }
}

async function fetchHighlights({ s3, stored }: ReportSource, signal: AbortSignal): Promise<Map<string, Uint8Array>> {
  const images = new Map<string, Uint8Array>();
  const bucket = stored.highlightsBucket;
  if (bucket === null) return images;
  for (const { highlight } of stored.analysis.events) {
    if (highlight === null) continue;
    try {
      const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: highlight.key }), {
        abortSignal: signal,
      });
      if (object.Body !== undefined) images.set(highlight.key, await object.Body.transformToByteArray());
    } catch (error) {
      complain(`no image ${highlight.key}: ${toFailure(error).message}`);
    }
  }
  return images;
}

async function cutKeyFrames(source: ReportSource, signal: AbortSignal): Promise<ReportImages['keyFrames']> {
  const wanted = keyFrameIndices(source.stored.analysis.frames);
  if (wanted.size === 0) return [];
  const logger = createLogger({ level: 'warn', format: source.config.log.format, name: 'report' });
  const tools = await openConfiguredTools(source.config, logger, signal);
  return await blamingTools(tools, signal, () => cutFrames(source, wanted, tools, signal));
}

async function cutFrames(
  { config, s3, video, stored }: ReportSource,
  wanted: ReadonlySet<number>,
  tools: FfmpegTools,
  signal: AbortSignal,
): Promise<ReportImages['keyFrames']> {
  const times = new Map(stored.analysis.frames.map(({ index, t }) => [index, t]));
  // No picture is met twice.
  sharp.cache(false);
  await using workspace = await createWorkspace(config.worker.workDir, 'report', config.worker.workDirParents);
  const file = workspace.path('video');
  const ref = { bucket: video.bucket, key: video.key, versionId: null, etag: null };
  const limits = { maxBytes: config.limits.maxObjectBytes, timeoutMs: 30_000 };
  const head = await withRetries(() => headObject(s3, ref, limits, signal), { signal });
  await downloadObject(s3, head, file, limits, signal);
  const info = await probeVideo(tools, file, videoLimits(config), signal);
  const { framesPerSecond, decode: mode } = stored.analysis.sampling;
  const options = { ...decodeSettings(config, null), framesPerSecond, mode };
  const pictures: { frameIndex: number; t: number; jpeg: Uint8Array }[] = [];
  for await (const frame of decodeFrames(tools, file, info, options, signal)) {
    using _frame = { [Symbol.dispose]: frame.release };
    if (!wanted.has(frame.index)) continue;
    const t = times.get(frame.index) ?? frame.t;
    // Where frames were left out their numbers do not say which they are: another pass over the file counts others.
    if (mode === 'fast' && Math.abs(t - frame.t) >= 0.001) continue;
    const raw = { width: frame.width, height: frame.height, channels: 3 } as const;
    const jpeg = await sharp(frame.pixels, { raw })
      .resize({ ...pictureSize(stored.analysis.video, frame), fit: 'fill' })
      .jpeg({ quality: 82 })
      .toBuffer();
    pictures.push({ frameIndex: frame.index, t, jpeg });
    if (pictures.length === wanted.size) break;
  }
  return pictures;
}

/** In the shape that the boxes of the analysis lie in, which an earlier version of the worker may have seen otherwise than this one. */
function pictureSize(
  { width, height }: StoredAnalysis['analysis']['video'],
  frame: { readonly width: number; readonly height: number },
): { readonly width: number; readonly height: number } {
  const shape = width > 0 && height > 0 ? { width, height } : frame;
  const scale = Math.min(1, PICTURE_WIDTH / shape.width);
  return { width: Math.round(shape.width * scale), height: Math.max(1, Math.round(shape.height * scale)) };
}

/** The fullest frame of each of equal stretches of the video, so that the pictures tell its story. */
function keyFrameIndices(frames: StoredAnalysis['analysis']['frames']): ReadonlySet<number> {
  const busy = frames.filter((frame) => frame.detections.length > 0);
  const size = Math.max(1, Math.ceil(busy.length / PICTURES));
  const wanted = new Set<number>();
  for (let start = 0; start < busy.length; start += size) {
    const stretch = busy.slice(start, start + size);
    const fullest = stretch.reduce((best, frame) => (frame.detections.length > best.detections.length ? frame : best));
    wanted.add(fullest.index);
  }
  return wanted;
}
