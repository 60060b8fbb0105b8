import { readFile } from 'node:fs/promises';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { toFailure } from '../failure/classify.ts';
import type { Failure } from '../failure/failure.ts';
import { RETRY_POLICIES, withRetries } from '../failure/retry.ts';
import { uploadFile } from '../storage/upload-file.ts';
import type { JobContext } from './job-context.ts';

/**
 * Puts the highlight images of an analysis into their bucket, where they are kept at all, and answers with the analysis as it is to be
 * stored. What the bucket refuses is no fault of the video: the findings go without those images and say so, unless images are
 * required. After the first that does not get there no other is tried.
 */
export async function uploadHighlights(context: JobContext, analysis: VideoAnalysis): Promise<VideoAnalysis> {
  const { settings, logger } = context;
  const bucket = settings.highlightsBucket;
  if (bucket === null) return analysis;
  const images = analysis.events.flatMap(({ highlight }) => highlight ?? []);
  const uploaded = new Set<string>();
  for (const { key, file } of images) {
    // What is wrong with the workspace is this host's fault, and no reason to go without an image.
    const failure = await upload(context, { bucket, key }, await readFile(file));
    if (failure === null) {
      uploaded.add(key);
      continue;
    }
    if (settings.highlightsRequired) throw failure;
    const { code, message } = failure;
    const count = images.length - uploaded.size;
    logger.warn({ err: failure, code, count, images: images.length }, 'highlight images could not be stored');
    const lack = {
      stage: 'highlights',
      code,
      message: `${count} of ${images.length} images: ${message}`,
      count,
    } as const;
    return { ...withImages(analysis, uploaded), degraded: [...analysis.degraded, lack] };
  }
  return analysis;
}

async function upload(
  { deps, settings, signal }: JobContext,
  where: { readonly bucket: string; readonly key: string },
  image: Uint8Array,
): Promise<Failure | null> {
  const target = { ...where, contentType: 'image/jpeg' };
  const policy = settings.highlightsRetry ?? RETRY_POLICIES.default;
  try {
    await withRetries(() => uploadFile(deps.s3, target, image, signal), { signal, policy });
    return null;
  } catch (error) {
    signal.throwIfAborted();
    return toFailure(error);
  }
}

/** With no other images than these: a row never names an image that is not there. */
function withImages(analysis: VideoAnalysis, keys: ReadonlySet<string>): VideoAnalysis {
  const events = analysis.events.map((event) =>
    event.highlight === null || keys.has(event.highlight.key) ? event : { ...event, highlight: null },
  );
  return { ...analysis, events };
}
