import { Failure, type FailureOptions } from '../../failure/failure.ts';
import { meaningOfLastWords } from '../../failure/sources/ffmpeg.ts';
import type { ProbedVideo } from '../probed-video.ts';

export interface VideoLimits {
  readonly maxDurationSeconds: number;
  /** Width times height. */
  readonly maxPixels: number;
  readonly maxFrameRate: number;
  /** Frames in the file, not sampled ones. */
  readonly maxFrames: number;
  readonly maxStreams: number;
  /** For the probe as a whole. */
  readonly timeoutMs: number;
}

export interface ProbedStream {
  readonly index: number;
  readonly codec_type?: string | undefined;
  readonly codec_name?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly avg_frame_rate?: string | undefined;
  readonly r_frame_rate?: string | undefined;
  readonly duration?: string | undefined;
  readonly nb_frames?: string | undefined;
  readonly disposition?: Readonly<Record<string, number>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly side_data_list?: readonly { readonly rotation?: number | undefined }[] | undefined;
}

export interface ProbeReport {
  readonly streams: readonly ProbedStream[];
  readonly format: { readonly format_name: string; readonly duration?: string | undefined };
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

/** The first real video stream, with display size and rotation, or the failure that names the limit it breaks. */
export function videoInfoOf(
  report: ProbeReport,
  limits: VideoLimits,
  sizeBytes: number,
  details: Details,
): ProbedVideo {
  const fail = (code: ConstructorParameters<typeof Failure>[0], message: string, facts: Details = {}): never => {
    throw new Failure(code, message, { details: { ...details, ...facts } });
  };
  if (report.streams.length > limits.maxStreams) {
    fail('VIDEO_TOO_MANY_STREAMS', `${report.streams.length} streams, at most ${limits.maxStreams} are accepted`);
  }
  const stream = videoStreamOf(report);
  if (stream === undefined) throw new Failure('NO_VIDEO_STREAM', 'the file has no video stream', { details });
  const { width = 0, height = 0 } = stream;
  if (width < 1 || height < 1 || width * height > limits.maxPixels) {
    fail('VIDEO_DIMENSIONS', `the picture is ${width}x${height}, at most ${limits.maxPixels} pixels are accepted`, {
      width,
      height,
    });
  }
  const durationSeconds = firstPositive(stream.duration, clockOf(stream.tags), report.format.duration);
  if (durationSeconds === null) throw new Failure('VIDEO_NO_DURATION', 'the video has no duration', { details });
  if (durationSeconds > limits.maxDurationSeconds) {
    fail(
      'VIDEO_TOO_LONG',
      `the video is ${durationSeconds} s long, at most ${limits.maxDurationSeconds} s are accepted`,
    );
  }
  const frameRate = firstPositive(rationalOf(stream.avg_frame_rate), rationalOf(stream.r_frame_rate));
  if (frameRate === null || frameRate > limits.maxFrameRate) {
    throw new Failure(
      'VIDEO_FRAME_RATE',
      `${frameRate ?? 'no'} frames per second, at most ${limits.maxFrameRate} are accepted`,
      {
        details,
      },
    );
  }
  const frames = firstPositive(stream.nb_frames) ?? Math.floor(durationSeconds * frameRate);
  if (frames > limits.maxFrames) {
    fail('VIDEO_TOO_LONG', `the video has about ${frames} frames, at most ${limits.maxFrames} are accepted`, {
      frames,
    });
  }
  const { degrees, turned } = rotationOf(stream);
  return {
    container: report.format.format_name,
    codec: stream.codec_name ?? 'unknown',
    width: turned ? height : width,
    height: turned ? width : height,
    rotation: degrees,
    frameRate,
    durationSeconds,
    sizeBytes,
    streamIndex: stream.index,
    geometry: asStored(width, height),
    startMicros: 0,
    maxGapMicros: 3_600_000_000,
    inputOptions: [],
    packets: null,
  };
}

function asStored(width: number, height: number): ProbedVideo['geometry'] {
  return {
    storedWidth: width,
    storedHeight: height,
    squareWidth: width,
    squareHeight: height,
    turn: 0,
    isMirrored: false,
  };
}

/** Cover art is a video stream to ffprobe, but no video. Also the stream that ffmpeg's `0:V:0` picks. */
function videoStreamOf(report: ProbeReport): ProbedStream | undefined {
  return report.streams.find(
    (stream) =>
      stream.codec_type === 'video' &&
      stream.disposition?.['attached_pic'] !== 1 &&
      stream.disposition?.['timed_thumbnails'] !== 1,
  );
}

/** The display matrix turns counterclockwise, the older `rotate` tag clockwise. ffmpeg swaps the sides near 90 and 270 degrees alone. */
function rotationOf(stream: ProbedStream): { degrees: number; turned: boolean } {
  const matrix = stream.side_data_list?.find((side) => side.rotation !== undefined)?.rotation;
  const clockwise = matrix === undefined ? Number(stream.tags?.['rotate'] ?? 0) : -matrix;
  const angle = Number.isFinite(clockwise) ? ((clockwise % 360) + 360) % 360 : 0;
  const turned = Math.abs(angle - 90) < 1 || Math.abs(angle - 270) < 1;
  return { degrees: (Math.round(angle / 90) * 90) % 360, turned };
}

function firstPositive(...values: readonly (string | undefined)[]): number | null {
  for (const value of values) {
    const number = Number(value ?? Number.NaN);
    if (Number.isFinite(number) && number > 0) return number;
  }
  return null;
}

function rationalOf(text: string | undefined): string | undefined {
  const match = /^(\d+)\/(\d+)$/.exec(text ?? '');
  return match === null ? undefined : String(Number(match[1]) / Number(match[2]));
}

/** Matroska keeps a stream's duration as a tag `00:01:02.500000000`. */
function clockOf(tags: Readonly<Record<string, string>> | undefined): string | undefined {
  const match = /^(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(tags?.['DURATION'] ?? '');
  return match === null ? undefined : String(Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]));
}
