import { Failure, type FailureOptions } from '../../failure/failure.ts';
import { meaningOfLastWords } from '../../failure/sources/ffmpeg.ts';

export interface VideoLimits {
  readonly maxDurationSeconds: number;
  /** Width times height, as stored and as displayed. */
  readonly maxPixels: number;
  readonly maxFrameRate: number;
  /** Frames in the file, not sampled ones. */
  readonly maxFrames: number;
  readonly maxStreams: number;
  /** For each look at the file; a count of its packets gets more, as much as the file is large. */
  readonly timeoutMs: number;
}

type Details = NonNullable<FailureOptions['details']>;

/** Throws for a container off the allow-list and for a file that ffprobe cannot open. */
export function checkContainer(lastWords: string, exitCode: number | null, details: Details): void {
  const said = meaningOfLastWords(lastWords);
  if (said?.code === 'VIDEO_FORMAT_FORBIDDEN') {
    throw new Failure(
      'VIDEO_FORMAT_FORBIDDEN',
      `the container ${said.container} is not accepted; send MP4, Matroska, MPEG or AVI`,
      { details: { ...details, container: said.container } },
    );
  }
  if (said?.code === 'NOT_A_VIDEO') {
    throw new Failure('NOT_A_VIDEO', `the file is not a video (it looks like ${said.container})`, { details });
  }
  if (exitCode === 0) return;
  if (said?.code === 'VIDEO_TRUNCATED') {
    throw new Failure('VIDEO_TRUNCATED', 'the file ends before its index; upload it again', { details });
  }
  throw new Failure('NOT_A_VIDEO', 'ffprobe cannot read the file as a video', { details });
}

/** Throws for a picture without area or with more pixels than are accepted. */
export function checkPicture(size: { width: number; height: number }, limits: VideoLimits, details: Details): void {
  const { width, height } = size;
  if (width >= 1 && height >= 1 && width * height <= limits.maxPixels) return;
  throw new Failure(
    'VIDEO_DIMENSIONS',
    `the picture is ${width}x${height}, at most ${limits.maxPixels} pixels are accepted`,
    { details: { ...details, width, height } },
  );
}

/** What is known of a video's length when it may be refused for it. */
export interface MeasuredLength {
  readonly durationSeconds: number;
  readonly frameRate: number;
  readonly frames: number;
}

/** Throws for more footage, or footage of a higher rate, than is accepted. */
export function checkLength(measured: MeasuredLength, limits: VideoLimits, details: Details): void {
  const { durationSeconds, frameRate, frames } = measured;
  if (durationSeconds > limits.maxDurationSeconds) {
    throw new Failure(
      'VIDEO_TOO_LONG',
      `the video is ${durationSeconds} s long, at most ${limits.maxDurationSeconds} s are accepted`,
      { details: { ...details, durationSeconds } },
    );
  }
  if (frameRate > limits.maxFrameRate) {
    throw new Failure(
      'VIDEO_FRAME_RATE',
      `${frameRate.toFixed(2)} frames per second, at most ${limits.maxFrameRate} are accepted`,
      { details: { ...details, frameRate } },
    );
  }
  if (frames > limits.maxFrames) {
    throw new Failure(
      'VIDEO_TOO_LONG',
      `the video has about ${frames} frames, at most ${limits.maxFrames} are accepted`,
      {
        details: { ...details, frames },
      },
    );
  }
}
