import type { Footage } from '../../src/video/footage.ts';
import type { ProbedVideo } from '../../src/video/probed-video.ts';
import type { VideoInfo } from '../../src/video/video-info.ts';

/** Footage that is as long as the file promised. */
export function wholeFootage({ durationSeconds, frameRate }: VideoInfo): () => Footage {
  return () => ({
    durationSeconds,
    decodedFrames: Math.round(durationSeconds * frameRate),
    missing: [],
    decode: 'exact',
  });
}

/** What a probe says of a plain file: square pixels, upright, from zero on. */
export function plainProbe(info: VideoInfo): ProbedVideo {
  const { width, height } = info;
  return {
    ...info,
    streamIndex: 0,
    pixelFormat: 'yuv420p',
    geometry: {
      storedWidth: width,
      storedHeight: height,
      squareWidth: width,
      squareHeight: height,
      turn: 0,
      isMirrored: false,
    },
    startMicros: 0,
    maxGapMicros: 3_600_000_000,
    inputOptions: [],
    packets: null,
  };
}

/** Twenty seconds at ten frames a second. */
export const PLAIN_VIDEO = plainProbe({
  container: 'mov,mp4',
  codec: 'h264',
  width: 64,
  height: 48,
  rotation: 0,
  frameRate: 10,
  durationSeconds: 20,
  sizeBytes: 1_000_000,
});
