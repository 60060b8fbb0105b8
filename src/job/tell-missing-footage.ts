import { FOOTAGE_MISSING } from '../analysis/missing-footage.ts';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Warns of an analysis that was stored with stretches missing: the video has not failed, but nothing that happened there was seen. */
export function tellMissingFootage(logger: Logger, videoId: string, { degraded, video }: VideoAnalysis): void {
  const stretches = degraded.flatMap(({ stage, fromSeconds, toSeconds, message }) =>
    stage === 'decode' ? [{ fromSeconds, toSeconds, message }] : [],
  );
  if (stretches.length === 0) return;
  const { durationSeconds } = video;
  logger.warn({ videoId, code: FOOTAGE_MISSING, durationSeconds, stretches }, 'footage is missing in the analysis');
}
