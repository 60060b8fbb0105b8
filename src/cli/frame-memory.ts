import type { Config } from '../config/config.ts';
import { capacityFor, USUAL_IDLE_BYTES } from '../video/frames/frame-pool.ts';
import { MAX_WAITING } from '../video/reading/frame-stream.ts';

/** Of one video, whatever the memory. */
export const LEAST_FRAMES = 4;
/** For frames, were they all as large as the configuration lets them be. */
const FRAMES_SHARE = 0.25;
const BYTES_OF_PIXEL = 3;
/** What a decoder has in memory beside the frames in flight: some wait, and one is filled. */
const DECODER_FRAMES = MAX_WAITING + 1;

/** So many videos at once, in so many bytes of memory. */
interface Room {
  readonly memoryBytes: number;
  readonly videosAtOnce: number;
}

/** How many frames in flight each video may have for all frames of all videos to stay within their share of the memory; at least four. */
export function fittingFrames({ limits }: Config, { memoryBytes, videosAtOnce }: Room): number {
  const largestBytes = limits.maxVideoPixels * BYTES_OF_PIXEL;
  const frames = Math.floor((memoryBytes * FRAMES_SHARE) / (largestBytes * videosAtOnce));
  return Math.max(LEAST_FRAMES, frames - DECODER_FRAMES);
}

/**
 * Bytes that frames may leave idle: all that so many videos hold at most, as a GPU gives frames back in bursts and takes as many again. Less
 * would save nothing: what is idle was in use before.
 */
export function idleFrameBytes({ limits }: Config, framesInFlight: number, videosAtOnce: number): number {
  const slots = (framesInFlight + DECODER_FRAMES) * videosAtOnce;
  return Math.max(USUAL_IDLE_BYTES, slots * capacityFor(limits.maxVideoPixels * BYTES_OF_PIXEL));
}
