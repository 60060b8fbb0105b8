import { askVersion, type FfmpegTools } from './ffmpeg-binary.ts';

/**
 * Does work with the tools, which were not asked who they are. Where it fails and one of them does not answer as itself, rejects with the
 * FFMPEG_MISSING that names it, in place of what the work said: a program that is no ffmpeg speaks ill of good files. They are asked
 * only then, because each answer costs as much as a short look at a video.
 */
export async function blamingTools<Result>(
  tools: FfmpegTools,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!signal.aborted) await askVersion(tools);
    throw error;
  }
}
