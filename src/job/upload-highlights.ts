import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { withRetries } from '../failure/retry.ts';
import { uploadFile } from '../storage/upload-file.ts';
import type { JobContext } from './job-context.ts';

/** Puts the highlight images of an analysis into their bucket, where they are kept at all. */
export async function uploadHighlights(context: JobContext, analysis: VideoAnalysis): Promise<void> {
  const { deps, settings, signal } = context;
  const bucket = settings.highlightsBucket;
  if (bucket === null) return;
  for (const { highlight } of analysis.events) {
    if (highlight === null) continue;
    const target = { bucket, key: highlight.key, contentType: 'image/jpeg' };
    await withRetries(() => uploadFile(deps.s3, target, highlight.file, signal), { signal });
  }
}
