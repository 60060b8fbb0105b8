import { inEventOrder } from '../analysis/events.ts';
import { HIGHLIGHTS_PREFIX, highlightFolder, highlightKeys } from '../analysis/highlight-keys.ts';
import { highlightPicture } from '../analysis/highlights.ts';
import { encodeJpeg } from '../chain/jpeg.ts';
import type { Config } from '../config/config.ts';
import { withRetries } from '../failure/retry.ts';
import type { Database } from '../persistence/client.ts';
import { nameHighlight, type PicturedEvent, type UnpicturedVideo } from '../persistence/missing-highlights.ts';
import { downloadObject, headObject } from '../storage/download.ts';
import type { S3Client } from '../storage/s3-client.ts';
import { uploadFile } from '../storage/upload-file.ts';
import { createWorkspace } from '../storage/work-folder.ts';
import { withDecodedFrames } from '../video/decode/decode.ts';
import type { FfmpegTools } from '../video/tools/ffmpeg-binary.ts';
import type { Frame } from '../video/frame.ts';
import { probeVideo } from '../video/probe/probe.ts';
import { decodeSettings, videoLimits } from './job-settings.ts';

export interface HighlightMaker {
  readonly config: Config;
  readonly bucket: string;
  readonly s3: S3Client;
  readonly database: Database;
  readonly tools: FfmpegTools;
}

export interface MadeHighlights {
  readonly made: number;
  /** Images whose frame is not met any more when the object is sampled. */
  readonly unmet: number;
}

interface MissingImage extends PicturedEvent {
  readonly key: string;
}

/**
 * Makes the images that the events of a video lack, from the object alone: the very pictures, under the very keys, that the worker would
 * have stored. No model is asked. What another run of the video has replaced meanwhile is left alone, and not counted as made.
 */
export async function makeHighlights(
  maker: HighlightMaker,
  video: UnpicturedVideo,
  signal: AbortSignal,
): Promise<MadeHighlights> {
  const { config, s3, tools } = maker;
  const missing = missingImages(video);
  const limits = { maxBytes: config.limits.maxObjectBytes, timeoutMs: 30_000 };
  const head = await withRetries(() => headObject(s3, video.object, limits, signal), { signal });
  await using workspace = await createWorkspace(config.worker.workDir, 'highlights', config.worker.workDirParents);
  const file = workspace.path('video');
  await downloadObject(s3, head, file, limits, signal);
  const info = await probeVideo(tools, file, videoLimits(config), signal);
  // The way in which the analysis saw the video, whatever the setting is by now: the number of a frame depends on it.
  const options = { ...decodeSettings(config, null), framesPerSecond: video.framesPerSecond, mode: video.decode };
  return await withDecodedFrames([tools, file, info, options, signal], async ({ frames }) => {
    let made = 0;
    let left = missing.length;
    for await (const frame of frames) {
      try {
        for (const image of missing.filter((event) => isMet(event, video, frame))) {
          left -= 1;
          if (await makeImage(maker, video, { image, frame }, signal)) made += 1;
        }
      } finally {
        frame.release();
      }
      if (left === 0) break;
    }
    return { made, unmet: left };
  });
}

async function makeImage(
  { bucket, s3, database }: HighlightMaker,
  video: UnpicturedVideo,
  { image, frame }: { readonly image: MissingImage; readonly frame: Frame },
  signal: AbortSignal,
): Promise<boolean> {
  const { key, eventId } = image;
  const jpeg = await encodeJpeg(frame, highlightPicture({ ...image, box: inFrame(image.box, video, frame) }));
  const target = { bucket, key, contentType: 'image/jpeg' };
  await withRetries(() => uploadFile(s3, target, jpeg, signal), { signal });
  const event = { runId: video.runId, eventId };
  return await withRetries(() => nameHighlight(database, event, { bucket, key }, signal), { signal });
}

/** Where frames were left out their numbers do not say which they are: another pass over the file counts others. */
function isMet({ frameIndex, startSeconds }: PicturedEvent, { decode }: UnpicturedVideo, frame: Frame): boolean {
  return frameIndex === frame.index && (decode === 'exact' || Math.abs(startSeconds - frame.t) < 0.001);
}

/** The box in the frame as it is decoded now: an earlier version of the worker may have shown the same picture at another size. */
function inFrame(box: PicturedEvent['box'], video: UnpicturedVideo, frame: Frame): PicturedEvent['box'] {
  const x = frame.width / (video.width ?? frame.width);
  const y = frame.height / (video.height ?? frame.height);
  return [box[0] * x, box[1] * y, box[2] * x, box[3] * y];
}

/** The events without an image, each with a key that no image of the video has: of the actions others may have been pictured before. */
export function missingImages({ events, externalId }: UnpicturedVideo): readonly MissingImage[] {
  const missing = inEventOrder(events).filter(({ highlightKey }) => highlightKey === null);
  const others = events.flatMap(({ highlightKey }) => highlightKey ?? []);
  const keys = highlightKeys(folderOf(events) ?? highlightFolder(externalId), missing, others);
  return missing.map((event, index) => ({ ...event, key: keys[index] ?? '' }));
}

/** The video may have got its backend's id after its first images were stored: they stay together. */
function folderOf(events: readonly PicturedEvent[]): string | null {
  const known = events.find(({ highlightKey }) => highlightKey?.startsWith(HIGHLIGHTS_PREFIX) === true);
  return known?.highlightKey?.slice(HIGHLIGHTS_PREFIX.length).split('/')[0] ?? null;
}
