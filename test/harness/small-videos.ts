import type { DecodeOptions } from '../../src/video/decode/decode.ts';
import { createFramePool } from '../../src/video/frames/frame-pool.ts';
import type { VideoLimits } from '../../src/video/probe/probe.ts';

/** Limits that no test fixture reaches unless it is made to, on a machine that does other work as well. */
export const SMALL_VIDEO_LIMITS: VideoLimits = {
  maxDurationSeconds: 60,
  maxPixels: 4_000_000,
  maxFrameRate: 120,
  maxFrames: 2_000,
  maxStreams: 8,
  timeoutMs: 60_000,
};

/** As patient; 1.5 frames a second. */
export const SMALL_VIDEO_DECODING: DecodeOptions = {
  framesPerSecond: 1.5,
  stallTimeoutMs: 60_000,
  wallTimeoutMs: 120_000,
  maxFrames: 2_000,
  maxDurationSeconds: 600,
  threads: 1,
  pool: createFramePool(),
};
