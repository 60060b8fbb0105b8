import { numberOf, positive, ratioOf, type ProbedStream, type ProbeReport } from './probe-report.ts';
import type { MeasuredLength, VideoLimits } from './video-limits.ts';

/** What the header of a file says of the length of one of its streams; null for what it does not say. */
export interface HeaderLength {
  readonly container: string;
  /** Where the stream begins and ends on the player's clock, seconds. */
  readonly streamStart: number;
  readonly streamEnd: number | null;
  /** Where the file ends on it: whichever stream is the last. */
  readonly fileEnd: number | null;
  /** Where the file begins on its own clock. */
  readonly fileStart: number;
  readonly averageRate: number | null;
  /** The smallest step between two frames, as a rate. */
  readonly nominalRate: number | null;
  readonly frames: number | null;
  readonly isAlone: boolean;
}

/** The same as its packets say it. */
export interface CountedLength {
  readonly packets: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** The latest that the file holds: where its last stream ends on the player's clock, or what any packet names. */
  readonly fileEnd: number;
}

type Limits = Pick<VideoLimits, 'maxDurationSeconds' | 'maxFrameRate' | 'maxFrames'>;

/** Streams of packets: what ffprobe calls their length is the distance of two timestamps. */
const WITHOUT_HEADER = /^(?:mpegts|mpeg)$/;
/** FLV's length is a note of the recorder, and recordings that were put one after the other keep that of the first. */
const WITH_NOTED_LENGTH = /^flv$/;
const WITH_SAMPLE_TABLES = /^mov,/;
const WITH_ABSOLUTE_ENDS = /^(?:matroska|flv)/;
/** Some writers mean where the last frame begins. */
const WITH_VAGUE_ENDS = /^flv/;
/**
 * An AVI that was cut off has lost the index from which its length is known, and still tells how many steps of its clock there were, with
 * a frame or without. Other counts include what an edit list leaves out.
 */
const COUNTS_LOST_FRAMES = 'avi';
/** A header that is farther from the packets than this is wrong by more than rounding; see `margin`. */
const MARGIN_SECONDS = 1;
const MARGIN_SHARE = 0.01;
/** A header and packets that lie so few frames apart say the same: the length of the last frame is often not told. */
const NEAR_FRAMES = 3;
/** Silences make the average lower than the rate; beyond this factor the header's is a time base or a burst. */
const RATE_FACTOR = 4;
/** For a single picture without a duration. */
const FALLBACK_RATE = 25;

/** Reads the header's numbers about a stream. */
export function headerLengthOf({ format }: ProbeReport, stream: ProbedStream): HeaderLength {
  const container = format.format_name;
  const fileStart = numberOf(format.start_time) ?? 0;
  const streamStart = Math.max(0, (numberOf(stream.start_time) ?? fileStart) - fileStart);
  const own = positive(numberOf(stream.duration));
  const fileLength = positive(numberOf(format.duration));
  // Matroska and FLV say where a stream ends and not how long it is: behind its start, that is.
  const onClock = (end: number): number => (end > fileStart ? end - fileStart : end);
  const tagged = positive(secondsOfTag(stream.tags));
  const fileEnd = fileLength !== null && WITH_ABSOLUTE_ENDS.test(container) ? onClock(fileLength) : fileLength;
  return {
    container,
    streamStart,
    streamEnd: own !== null ? streamStart + own : tagged !== null ? onClock(tagged) : null,
    fileEnd,
    fileStart,
    averageRate: positive(ratioOf(stream.avg_frame_rate)),
    nominalRate: positive(ratioOf(stream.r_frame_rate)),
    frames: positive(numberOf(stream.nb_frames)),
    isAlone: format.nb_streams === 1,
  };
}

/** Why the packets of a file are counted before its header is believed; null where it may be. */
export function doubtOf(header: HeaderLength, limits: Limits): string | null {
  const { container, streamEnd, fileEnd, frames } = header;
  const end = endOf(header);
  if (WITHOUT_HEADER.test(container)) return 'its container keeps no length';
  if (end === null) return 'its header says no length';
  if (WITH_NOTED_LENGTH.test(container)) return 'its length is a note of the recorder';
  if (streamEnd === null && fileEnd !== null && !header.isAlone) return 'its header says one length for all streams';
  if (fileEnd !== null && end - fileEnd > margin(end)) return 'its header says that the video is longer than the file';
  const rate = plausibleRate(header, limits);
  if (rate === null) return 'its header says no frame rate that could be';
  if (end > limits.maxDurationSeconds) return 'its header says a length beyond the limit';
  if ((frames ?? end * rate) > limits.maxFrames) return 'its header says a number of frames beyond the limit';
  if (frames === null && WITH_SAMPLE_TABLES.test(container)) return 'its header counts no frames';
  const length = streamEnd === null ? end : end - header.streamStart;
  if (frames !== null && Math.abs(frames / rate - length) > margin(length)) return 'its header contradicts itself';
  // Some writers mean a length after all.
  if (WITH_ABSOLUTE_ENDS.test(container) && header.fileStart > MARGIN_SECONDS) return 'it begins late on its own clock';
  return null;
}

/** What a file promises: by its header, which must not be in doubt, or by its packets where they were counted. */
export function promiseOf(header: HeaderLength, counted: CountedLength | null, limits: Limits): MeasuredLength {
  const plausible = plausibleRate(header, limits);
  if (counted === null) {
    const durationSeconds = endOf(header) ?? 0;
    const frameRate = plausible ?? FALLBACK_RATE;
    return { durationSeconds, frameRate, frames: header.frames ?? Math.floor(durationSeconds * frameRate) };
  }
  const measured = measuredRate(counted);
  const isNear = plausible !== null && plausible <= measured * RATE_FACTOR && measured <= plausible * RATE_FACTOR;
  const frameRate = isNear ? plausible : measured;
  return { durationSeconds: promisedEnd(header, counted, frameRate, limits), frameRate, frames: counted.packets };
}

/** The header's word where the packets agree with it, or where they stop before it; else that of the packets. */
function promisedEnd(header: HeaderLength, counted: CountedLength, frameRate: number, limits: Limits): number {
  const { frames } = header;
  const { endSeconds } = counted;
  const told = endOf(header);
  if (WITHOUT_HEADER.test(header.container)) return endSeconds;
  if (frames !== null && header.container === COUNTS_LOST_FRAMES) {
    // Each count is a step of the header's rate, whether a picture was recorded in it or none.
    const whole = header.streamStart + frames / (plausibleRate(header, limits) ?? frameRate);
    if (whole > endSeconds + margin(endSeconds) && whole <= limits.maxDurationSeconds) return whole;
  }
  const isToldPossible = told !== null && told <= limits.maxDurationSeconds;
  const isExact = !WITH_VAGUE_ENDS.test(header.container);
  if (
    isToldPossible &&
    isExact &&
    Math.abs(told - endSeconds) <= Math.max(NEAR_FRAMES / frameRate, MARGIN_SHARE * told)
  ) {
    return told;
  }
  if (frames === null) return isToldPossible && isCut(header, counted) ? told : endSeconds;
  return endSeconds;
}

/**
 * A file that ends before its header says, in all its streams. Not so where a packet names the header's end: then the header was taken
 * from a clock that went astray.
 */
function isCut({ fileEnd }: HeaderLength, counted: CountedLength): boolean {
  return fileEnd !== null && counted.fileEnd < fileEnd - margin(fileEnd);
}

/** Where the header says that the video ends, seconds on the player's clock; null where it does not. */
export function endOf({ streamEnd, fileEnd }: HeaderLength): number | null {
  return streamEnd ?? fileEnd;
}

/** The rate of the header; null where it could not be: WebM of browsers and many a transport stream give their time base. */
export function plausibleRate({ averageRate, nominalRate }: HeaderLength, { maxFrameRate }: Limits): number | null {
  return [averageRate, nominalRate].find((rate) => rate !== null && rate <= maxFrameRate) ?? null;
}

/**
 * The rate by which the packets are followed on a clock that may go astray. An average far below the smallest step was taken over a span
 * that is no footage.
 */
export function rateOfPackets(header: HeaderLength, limits: Limits): number | null {
  const rate = plausibleRate(header, limits);
  const { nominalRate } = header;
  const isSlow = rate !== null && nominalRate !== null && rate * RATE_FACTOR < nominalRate;
  return isSlow && nominalRate <= limits.maxFrameRate ? nominalRate : rate;
}

/** Frames per second by the packets of a stream. */
function measuredRate({ packets, startSeconds, endSeconds }: CountedLength): number {
  return endSeconds > startSeconds ? packets / (endSeconds - startSeconds) : FALLBACK_RATE;
}

function margin(seconds: number): number {
  return Math.max(MARGIN_SECONDS, MARGIN_SHARE * seconds);
}

/** Matroska keeps a stream's end as a tag `00:01:02.500000000`, to which some writers add a language. */
function secondsOfTag(tags: Readonly<Record<string, string>> = {}): number | null {
  const name = Object.keys(tags).find((key) => /^DURATION(?:-\w+)?$/.test(key)) ?? '';
  const match = /^(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(tags[name] ?? '');
  return match === null ? null : Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
}
