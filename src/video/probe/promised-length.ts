import type { ScannedStream } from './packet-scan.ts';
import { firstPositive, numberOf, ratioOf, type ProbedStream, type ProbeReport } from './probe-report.ts';
import type { VideoLimits } from './video-limits.ts';

/** Containers that say nowhere how long they are: what ffprobe tells of them is a guess from their first and last bytes. */
const WITHOUT_HEADER = new Set(['mpegts', 'mpeg']);
/** How far a header's length and its count of frames may lie apart, seconds and share. */
const COUNT_SECONDS = 2;
const COUNT_SHARE = 0.2;

/** What the header of a file promises of its video. */
export interface HeaderPromise {
  /** Where the video ends, seconds since the earliest stream's start; null where nothing is told. */
  readonly endSeconds: number | null;
  readonly frameRate: number | null;
  readonly frames: number | null;
  /** True when the header tells the frames; else they are those of its length. */
  readonly isCounted: boolean;
  /** Why it is not to be believed; null where it is. */
  readonly doubt: string | null;
}

/** Reads the promise of the header and whether it may be believed: nothing is refused on its word alone. */
export function headerPromise(report: ProbeReport, stream: ProbedStream, limits: VideoLimits): HeaderPromise {
  const endSeconds = headerEnd(report, stream);
  const frameRate = plausibleRate(stream, limits.maxFrameRate);
  const told = firstPositive(stream.nb_frames);
  const frames = told ?? (endSeconds === null || frameRate === null ? null : Math.floor(endSeconds * frameRate));
  const promise = { endSeconds, frameRate, frames, isCounted: told !== null };
  return { ...promise, doubt: doubtOf(report, promise, limits) };
}

function doubtOf(
  report: ProbeReport,
  { endSeconds, frameRate, frames, isCounted }: Omit<HeaderPromise, 'doubt'>,
  limits: VideoLimits,
): string | null {
  if (WITHOUT_HEADER.has(report.format.format_name)) return 'the container has no header';
  if (endSeconds === null) return 'the header has no length';
  if (frameRate === null) return 'the header has no frame rate that could be true';
  if (endSeconds > limits.maxDurationSeconds) return `the header says ${endSeconds} s`;
  if (frames !== null && frames > limits.maxFrames) return `the header says ${frames} frames`;
  const whole = firstPositive(report.format.duration);
  if (whole !== null && endSeconds - whole > Math.max(1, COUNT_SHARE * 0.05 * endSeconds)) {
    return `the header says ${endSeconds} s of the video and ${whole} s of the file`;
  }
  const counted = isCounted && frames !== null ? frames / frameRate : endSeconds;
  const isFar = Math.abs(counted - endSeconds) > Math.max(COUNT_SECONDS, COUNT_SHARE * endSeconds);
  return isFar ? `the header says ${endSeconds} s and ${frames} frames` : null;
}

/** The average of the header, else its base rate; null where neither can be true: some containers tell a time base for a rate. */
function plausibleRate(stream: ProbedStream, maxFrameRate: number): number | null {
  const rates = [ratioOf(stream.avg_frame_rate), ratioOf(stream.r_frame_rate)];
  return rates.find((rate) => rate !== null && rate > 0 && rate <= maxFrameRate) ?? null;
}

/**
 * Where a video would end if every frame came that its header counts; where the packets end if those are all. An AVI that was cut off
 * has lost the index from which its length is known, and still tells how many frames there were; other counts include what an edit list
 * leaves out.
 */
export function countedEnd(
  container: string,
  promise: HeaderPromise,
  stream: ScannedStream,
  limits: VideoLimits,
): number {
  const { frames, frameRate, isCounted } = promise;
  if (container !== 'avi' || !isCounted || frames === null || frameRate === null) return stream.endSeconds;
  const missingSeconds = (frames - stream.packets) / frameRate;
  const end = stream.endSeconds + missingSeconds;
  return missingSeconds > COUNT_SECONDS && end <= limits.maxDurationSeconds ? end : stream.endSeconds;
}

/** Frames per second by the packets of a stream; null where they do not say it. */
export function measuredRate({ packets, startSeconds, endSeconds }: ScannedStream): number | null {
  return packets > 1 && endSeconds > startSeconds ? packets / (endSeconds - startSeconds) : null;
}

function headerEnd(report: ProbeReport, stream: ProbedStream): number | null {
  const fileStart = numberOf(report.format.start_time) ?? 0;
  const offset = Math.max(0, (numberOf(stream.start_time) ?? fileStart) - fileStart);
  const own = firstPositive(stream.duration);
  if (own !== null) return offset + own;
  const told = firstPositive(clockOf(stream.tags), report.format.duration);
  if (told === null) return null;
  // Matroska's lengths count from the zero of its own clock.
  const isAbsolute = report.format.format_name.startsWith('matroska') && told > fileStart;
  return isAbsolute ? told - fileStart : told;
}

/** Matroska keeps a stream's duration as a tag `00:01:02.500000000`. */
function clockOf(tags: Readonly<Record<string, string>> | undefined): string | undefined {
  const match = /^(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(tags?.['DURATION'] ?? '');
  return match === null ? undefined : String(Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]));
}
