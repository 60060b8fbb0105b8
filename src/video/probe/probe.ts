import { stat } from 'node:fs/promises';
import { Failure } from '../../failure/failure.ts';
import { systemClock, type Clock } from '../../time/clock.ts';
import { MAX_FIRST_GAP_MICROS } from '../clock/media-clock.ts';
import type { ProbedVideo } from '../probed-video.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import { chooseStream, isPicture } from './choose-stream.ts';
import {
  displayGeometry,
  displaySize,
  orientationOf,
  orientationOfTag,
  UPRIGHT,
  type Orientation,
} from './display-geometry.ts';
import { beginsWithBox, headOf, photoKind, type PhotoKind } from './file-head.ts';
import { firstFrameOf, lookAtFile, type Look, type Subject } from './look.ts';
import { scannedStream, scanPackets, type PacketScan } from './packet-scan.ts';
import { numberOf, positive, ratioOf, type ProbedFrame, type ProbedStream } from './probe-report.ts';
import { doubtOf, endOf, headerLengthOf, promiseOf, rateOfPackets, type CountedLength } from './promised-length.ts';
import { checkLength, checkPicture, type VideoLimits } from './video-limits.ts';

export type { VideoLimits } from './video-limits.ts';

/** How far ffprobe and ffmpeg look for what describes a stream, where their own five seconds do not show it. */
const WIDE_WINDOW = ['-probesize', '200000000', '-analyzeduration', '3600000000'];
/**
 * In a transport stream: one whose packets move to another number goes on as the one that it was. Where no table of programmes numbers them,
 * ffmpeg guesses the streams, and with this option it would find none.
 */
const FOLLOW_PROGRAM = ['-merge_pmt_versions', '1'];
/** Bytes of a transport stream that are damaged are passed over, however many they are. */
const PASS_OVER_DAMAGE = ['-resync_size', '1073741824'];
/** Containers in which a stream is known when its first packet has come. */
const WITHOUT_LIST = new Set(['mpegts', 'mpeg', 'flv']);
/** Containers whose clock may jump: as ffmpeg, a step of more than ten seconds is not taken for silence. */
const JUMPING_CLOCK = new Set(['mpegts', 'mpeg']);
const MAX_JUMPING_GAP_MICROS = 10_000_000;
/** Where nothing tells a rate that could be true. */
const USUAL_FRAME_RATE = 25;
/** The slowest disk that files are read from; a count of packets reads all of a file. */
const READ_BYTES_PER_SECOND = 20 * 1024 * 1024;

/**
 * Looks at a file before it is decoded: which stream is the recording, in which shape and from when on a player shows it, how long it
 * promises to be; and holds that to the limits. Every problem of the file is a permanent failure.
 */
export async function probeVideo(
  tools: FfmpegTools,
  file: string,
  limits: VideoLimits,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<ProbedVideo> {
  const sizeBytes = await sizeOf(file);
  if (sizeBytes === 0) throw new Failure('OBJECT_EMPTY', 'the file has no bytes');
  const head = await headOf(file);
  const photo = photoKind(head);
  if (photo?.isSure === true) throw isPhoto(photo);
  const subject: Subject = { tools, file, timeoutMs: limits.timeoutMs, clock, signal };
  const seen = await lookWideEnough(subject, limits).catch((error: unknown) => {
    // The index that ffprobe misses is that of a video: a photo has none, and nothing was cut off.
    const isWithoutVideo = error instanceof Failure && ['VIDEO_TRUNCATED', 'NOT_A_VIDEO'].includes(error.code);
    if (photo !== null && isWithoutVideo) throw isPhoto(photo, error);
    throw missesIndex(error) && !beginsWithBox(head) ? noVideo(error) : error;
  });
  const measured = await measure(subject, { ...seen, sizeBytes }, limits);
  return await describe(subject, measured, limits);
}

function isPhoto({ name }: PhotoKind, cause?: unknown): Failure {
  return new Failure('NOT_A_VIDEO', `the file is a photo (${name}); send a video`, { cause });
}

/** By its name, ffprobe may look for the index of an MP4 in a file that is none. */
function missesIndex(error: unknown): error is Failure {
  if (!(error instanceof Failure) || error.code !== 'VIDEO_TRUNCATED') return false;
  return String(error.details?.['lastWords']).includes('moov atom not found');
}

function noVideo(cause: Failure): Failure {
  return new Failure('NOT_A_VIDEO', 'ffprobe cannot read the file as a video', { cause, details: cause.details });
}

/** A look at the streams, and what it took. */
interface Seen {
  readonly look: Look;
  readonly inputOptions: readonly string[];
}

async function lookWideEnough(subject: Subject, limits: VideoLimits): Promise<Seen> {
  const look = await lookAtFile(subject, []);
  checkStreams(look, limits);
  const { format_name: container, nb_programs: programs } = look.report.format;
  const follow = container === 'mpegts' ? [...(programs === 0 ? [] : FOLLOW_PROGRAM), ...PASS_OVER_DAMAGE] : [];
  const isListed = candidatesOf(look).length > 0 || !WITHOUT_LIST.has(container);
  const isClear =
    isListed && candidatesOf(look).every(({ width, codec_name: codec }) => width > 0 && codec !== undefined);
  if (isClear && candidatesOf(look).length < 2) return { look, inputOptions: follow };
  if (isClear && follow.length === 0) return { look, inputOptions: [] };
  const inputOptions = [...follow, ...(isClear ? [] : WIDE_WINDOW)];
  return { look: await lookAtFile(subject, inputOptions), inputOptions };
}

function checkStreams({ report, details }: Look, limits: VideoLimits): void {
  const count = report.format.nb_streams;
  if (count <= limits.maxStreams) return;
  throw new Failure('VIDEO_TOO_MANY_STREAMS', `${count} streams, at most ${limits.maxStreams} are accepted`, {
    details,
  });
}

type Candidate = ProbedStream & { width: number; height: number; frames: number | null; disposition: Flags };
type Flags = Readonly<Record<string, number>>;

function candidatesOf({ report }: Look, packets: PacketScan | null = null): readonly Candidate[] {
  return report.streams
    .filter((stream) => stream.codec_type === 'video')
    .map((stream) => ({
      ...stream,
      width: stream.width ?? 0,
      height: stream.height ?? 0,
      frames:
        packets === null ? positive(numberOf(stream.nb_frames)) : (scannedStream(packets, stream.index)?.packets ?? 0),
      disposition: stream.disposition ?? {},
    }))
    .filter((candidate) => !isPicture(candidate));
}

interface Measured extends Seen {
  readonly sizeBytes: number;
  readonly stream: Candidate;
  readonly startMicros: number;
  readonly maxGapMicros: number;
  readonly packets: PacketScan | null;
}

/** Chooses the recording, and reads the packets where the header does not tell enough or cannot be true. */
async function measure(
  subject: Subject,
  seen: Seen & { readonly sizeBytes: number },
  limits: VideoLimits,
): Promise<Measured> {
  const { look, sizeBytes, inputOptions } = seen;
  const { report, details } = look;
  const candidates = candidatesOf(look);
  const likely = chooseStream(candidates);
  if (likely === null) throw new Failure('NO_VIDEO_STREAM', 'the file has no video stream', { details });
  const startMicros = Math.round((numberOf(report.format.start_time) ?? 0) * 1e6);
  const isJumping = JUMPING_CLOCK.has(report.format.format_name);
  const maxGapMicros = isJumping ? MAX_JUMPING_GAP_MICROS : MAX_FIRST_GAP_MICROS;
  const header = headerLengthOf(report, likely);
  const isClear = candidates.length === 1 || candidates.every(({ frames }) => frames !== null);
  const known = { ...seen, stream: likely, startMicros, maxGapMicros, packets: null };
  if (isClear && doubtOf(header, limits) === null) return known;
  const frameRate = rateOfPackets(header, limits) ?? USUAL_FRAME_RATE;
  const { tools, file, clock, signal } = subject;
  const timeoutMs = subject.timeoutMs + (sizeBytes / READ_BYTES_PER_SECOND) * 1000;
  const subjectOfScan = {
    container: report.format.format_name,
    sizeBytes,
    startMicros,
    maxGapMicros,
    frameRate,
    durationSeconds: endOf(header),
    inputOptions,
  };
  const { maxFrames } = limits;
  const packets = await scanPackets(tools, file, subjectOfScan, { timeoutMs, maxFrames, clock }, signal);
  const stream = chooseStream(candidatesOf(look, packets)) ?? likely;
  // Where the packets go on without a jump, what is missing between two pictures was not decoded, and is as long as it is.
  const isContinuous = scannedStream(packets, stream.index)?.isContinuous === true;
  return {
    ...known,
    stream,
    maxGapMicros: isContinuous ? MAX_FIRST_GAP_MICROS : maxGapMicros,
    packets,
  };
}

async function describe(subject: Subject, measured: Measured, limits: VideoLimits): Promise<ProbedVideo> {
  const { look, stream, inputOptions, startMicros, maxGapMicros, packets, sizeBytes } = measured;
  const { report, details } = look;
  const shown = report.frames.find((frame) => frame.stream_index === stream.index && (frame.width ?? 0) > 0);
  const counted = packets === null ? null : countedLength(packets, stream.index);
  if (counted?.packets === 0) throw new Failure('VIDEO_NO_FRAMES', 'the video stream has no packets', { details });
  const length = promiseOf(headerLengthOf(report, stream), counted, limits);
  checkLength(length, limits, details);
  if (stream.width > 0) checkPicture(stream, limits, details);
  const frame = shown ?? (await firstFrameOf(subject, stream.index, inputOptions));
  const stored = { width: frame?.width ?? stream.width, height: frame?.height ?? stream.height };
  checkPicture(stored, limits, details);
  const aspect = ratioOf(frame?.sample_aspect_ratio ?? stream.sample_aspect_ratio);
  const geometry = displayGeometry(stored, aspect, orientationIn(frame, stream));
  checkPicture(displaySize(geometry), limits, details);
  return {
    container: report.format.format_name,
    codec: stream.codec_name ?? 'unknown',
    ...displaySize(geometry),
    rotation: geometry.turn,
    frameRate: length.frameRate,
    durationSeconds: Math.round(length.durationSeconds * 1e6) / 1e6,
    sizeBytes,
    streamIndex: stream.index,
    pixelFormat: stream.pix_fmt ?? null,
    geometry,
    startMicros,
    maxGapMicros,
    inputOptions,
    packets,
  };
}

const NO_PACKETS = { packets: 0, startSeconds: 0, endSeconds: 0 };

function countedLength(packets: PacketScan, streamIndex: number): CountedLength {
  const stream = scannedStream(packets, streamIndex);
  const fileEnd = Math.max(packets.latestSeconds, ...packets.streams.map((other) => other.endSeconds));
  return { ...(stream ?? NO_PACKETS), fileEnd };
}

/** Pictures may tell it themselves; else the stream does. */
function orientationIn(frame: ProbedFrame | null, stream: ProbedStream): Orientation {
  const lists = [frame?.side_data_list, stream.side_data_list];
  const matrices = lists.flatMap((list) => list ?? []).flatMap(({ displaymatrix }) => displaymatrix ?? []);
  const told = matrices.map(orientationOf).find((orientation) => orientation !== null);
  return told ?? orientationOfTag(stream.tags?.['rotate']) ?? UPRIGHT;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new Failure('DECODER_INTERRUPTED', 'the file vanished before it was read; keep cleaners away from WORK_DIR', {
      cause: error,
    });
  }
}
