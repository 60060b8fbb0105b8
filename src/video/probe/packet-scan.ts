import { Failure } from '../../failure/failure.ts';
import { systemClock, type Clock } from '../../time/clock.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import { LineSplitter } from '../tools/last-words.ts';
import { endedByForce, type ToolEnd } from '../tools/tool-end.ts';
import { nullPacketBytes } from './null-packets.ts';
import { runFfprobe } from './run-ffprobe.ts';
import { strayVideoPid } from './stray-video.ts';
import { StreamScan, type PacketTimes, type ScannedStream } from './stream-scan.ts';

export type { ScannedStream } from './stream-scan.ts';

/** What the packets of a file say, where its header is silent or not to be believed. */
export interface PacketScan {
  readonly streams: readonly ScannedStream[];
  /** The latest time that any packet names, seconds after the start by the file's own clock, whatever that clock did between. */
  readonly latestSeconds: number;
  /** Bytes of the file behind the last packet of any stream, without the padding of transport streams; 0 for a container that may have an index there. */
  readonly bytesAfterLast: number;
  /** The PID under which the video of a transport stream goes on though no table names it; null where it does not. */
  readonly strayVideoPid: number | null;
}

/** What the packets say of one stream; undefined where none of them is of it. */
export function scannedStream({ streams }: PacketScan, streamIndex: number): ScannedStream | undefined {
  return streams.find(({ index }) => index === streamIndex);
}

/** Of the file, as far as it is known. */
export interface ScanSubject {
  readonly container: string;
  readonly sizeBytes: number;
  readonly startMicros: number;
  readonly maxGapMicros: number;
  /** Nominal frames per second. */
  readonly frameRate: number;
  /** Where its header says that the video ends, seconds on the player's clock; null where it does not. */
  readonly durationSeconds: number | null;
  readonly inputOptions: readonly string[];
}

export interface ScanLimits {
  readonly timeoutMs: number;
  /** Packets of one video stream. */
  readonly maxFrames: number;
  readonly clock?: Clock;
}

/** Others may have an index behind their packets, which is large beside little footage. */
const NOTHING_BUT_PACKETS = /^(?:mpegts|mpeg|flv)$/;
/** Sound has more packets than pictures, text has few: as many per stream bound any file that is accepted. */
const PACKETS_PER_FRAME = 8;
const SHOWN = 'packet=codec_type,stream_index,pts_time,dts_time,duration_time,size,pos,flags';

/**
 * Reads all packets of a file. Rejects with VIDEO_TOO_LONG when there are more than the limits allow; how the file ends is no failure, since
 * what could be read up to there is what is asked for.
 */
export async function scanPackets(
  tools: FfmpegTools,
  file: string,
  subject: ScanSubject,
  limits: ScanLimits,
  signal: AbortSignal,
): Promise<PacketScan> {
  const scan = new Scan(subject, limits);
  const lines = new LineSplitter((line) => scan.read(line));
  const args = [...subject.inputOptions, '-show_entries', SHOWN, '-print_format', 'csv=print_section=0'];
  const { timeoutMs, clock = systemClock } = limits;
  const onText = (text: string): boolean => {
    lines.push(text);
    return false;
  };
  const ended = await runFfprobe(tools, file, { args, timeoutMs, clock, onText }, signal);
  if (ended === null) throw new Error('packets are read to the end of the file');
  const { exit, words } = ended;
  lines.end();
  const end: ToolEnd = { tool: 'ffprobe', exit, words };
  const force = endedByForce(end, { lastWords: words.text, exitCode: exit.code, exitSignal: exit.signal });
  if (force !== null) throw force;
  return { ...scan.result(), ...(await searchRest(file, scan, subject, signal)) };
}

/** What lies behind the last packets. */
async function searchRest(
  file: string,
  { lastByte, lastPictures }: Scan,
  { container, sizeBytes }: ScanSubject,
  signal: AbortSignal,
): Promise<Pick<PacketScan, 'bytesAfterLast' | 'strayVideoPid'>> {
  if (lastByte === null || !NOTHING_BUT_PACKETS.test(container)) return { bytesAfterLast: 0, strayVideoPid: null };
  const restBytes = Math.max(0, sizeBytes - lastByte);
  if (container !== 'mpegts') return { bytesAfterLast: restBytes, strayVideoPid: null };
  const padding = await nullPacketBytes(file, lastByte, signal);
  const stray = lastPictures.size === 0 ? null : await strayVideoPid(file, [...lastPictures.values()], signal);
  return { bytesAfterLast: Math.max(0, restBytes - padding), strayVideoPid: stray };
}

export class Scan {
  readonly #subject: ScanSubject;
  readonly #limits: ScanLimits;
  readonly #streams = new Map<number, StreamScan>();
  #latestMicros = 0;
  /** Where the last packet of any stream ends. */
  lastByte: number | null = null;
  /** Where the last packet of each video begins, by its stream. */
  readonly lastPictures = new Map<number, number>();

  constructor(subject: ScanSubject, limits: ScanLimits) {
    this.#subject = subject;
    this.#limits = limits;
  }

  read(line: string): void {
    const [type = '', index, pts, dts, duration, size, pos, flags = ''] = line.split(',');
    const number = Number(index ?? Number.NaN);
    if (!Number.isInteger(number)) return;
    const stream = this.#streamOf(number, type === 'video');
    const times = { pts: microsOf(pts), dts: microsOf(dts), duration: microsOf(duration) };
    this.#take(stream, { ...times, isShown: !flags.includes('D') });
    const begin = Number(pos ?? Number.NaN);
    const last = begin + Number(size ?? Number.NaN);
    if (!Number.isFinite(last)) return;
    this.lastByte = Math.max(this.lastByte ?? 0, last);
    if (stream.isVideo) this.lastPictures.set(number, Math.max(this.lastPictures.get(number) ?? 0, begin));
  }

  #take(stream: StreamScan, times: PacketTimes): void {
    stream.add(times);
    const { maxFrames } = this.#limits;
    const packets = stream.packets + stream.unshown;
    if (packets > maxFrames * (stream.isVideo ? 1 : PACKETS_PER_FRAME)) {
      throw new Failure('VIDEO_TOO_LONG', `more than ${packets - 1} packets in a stream`, {
        details: { maxFrames },
      });
    }
    const raw = times.pts ?? times.dts;
    if (raw === null || !times.isShown) return;
    this.#latestMicros = Math.max(this.#latestMicros, raw - this.#subject.startMicros + (times.duration ?? 0));
  }

  result(): Pick<PacketScan, 'streams' | 'latestSeconds'> {
    return {
      streams: [...this.#streams.values()].map((stream) => stream.result()),
      latestSeconds: this.#latestMicros / 1e6,
    };
  }

  #streamOf(index: number, isVideo: boolean): StreamScan {
    const known = this.#streams.get(index);
    if (known !== undefined) return known;
    const stream = new StreamScan(index, isVideo, this.#subject);
    this.#streams.set(index, stream);
    return stream;
  }
}

/** A time base of a file can make times of thousands of years, whose sums are no whole microseconds: they are no times. */
function microsOf(text: string | undefined): number | null {
  const micros = Math.round(Number(text ?? Number.NaN) * 1e6);
  return Number.isSafeInteger(micros) && text !== '' ? micros : null;
}
