import { MediaClock, NEAR_FRAMES, type ClockSettings } from '../clock/media-clock.ts';
import { SecondTally } from '../clock/second-tally.ts';
import { PresentationOrder, type PacketStamps } from './presentation-order.ts';

/** One stream as its packets tell of it, read without decoding. */
export interface ScannedStream {
  readonly index: number;
  readonly isVideo: boolean;
  /** Those that are shown: an edit list of the file may leave others out. */
  readonly packets: number;
  /** First and last moment on the clock of `Frame.t`, seconds; the last packet's own duration is in it. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** How many packets begin in each second of that clock. */
  readonly perSecond: readonly number[];
  /** False when the file's own clock steps back in it, or ahead by more than `maxGapMicros`. */
  readonly isContinuous: boolean;
  /** False when a packet does not tell when it is shown. */
  readonly isTimed: boolean;
}

/** Of a packet; microseconds, the duration on no clock. */
export interface PacketTimes extends PacketStamps {
  readonly duration: number | null;
}

export interface StreamScanSettings {
  readonly startMicros: number;
  readonly maxGapMicros: number;
  /** Nominal frames per second. */
  readonly frameRate: number;
  /** Where the header says that the video ends, seconds on the player's clock; null where it does not. */
  readonly durationSeconds: number | null;
}

/** A longer last packet was given its length from a span that is no footage: some demuxers make it of the average rate. */
const MAX_LAST_MICROS = 10_000_000;

/** Follows the packets of one stream on the clock of `Frame.t`. */
export class StreamScan {
  readonly index: number;
  readonly isVideo: boolean;
  packets = 0;
  unshown = 0;
  readonly #clock: MediaClock;
  readonly #settings: ClockSettings;
  readonly #order = new PresentationOrder((micros) => this.#push(micros));
  readonly #tally = new SecondTally();
  #before: number | null = null;
  #isContinuous = true;
  #isTimed = true;
  #firstMicros: number | null = null;
  #lastDuration: number | null = null;

  constructor(index: number, isVideo: boolean, settings: StreamScanSettings) {
    const { startMicros, maxGapMicros, frameRate, durationSeconds } = settings;
    this.index = index;
    this.isVideo = isVideo;
    // Sound may go on for longer than the video.
    const promisedMicros = isVideo && durationSeconds !== null ? Math.round(durationSeconds * 1e6) : null;
    this.#settings = { startMicros, maxGapMicros, frameMicros: Math.round(1e6 / frameRate), promisedMicros };
    this.#clock = new MediaClock(this.#settings);
  }

  add(packet: PacketTimes): void {
    if (packet.pts === null) this.#isTimed = false;
    this.#order.push(packet);
    if (packet.isShown) {
      this.packets += 1;
      this.#lastDuration = packet.duration;
    } else {
      this.unshown += 1;
    }
  }

  /** What it is, when its last packet was added. */
  result(): ScannedStream {
    this.#order.end();
    this.#take(this.#clock.end());
    const { frameMicros } = this.#settings;
    const longest = Math.max(MAX_LAST_MICROS, NEAR_FRAMES * frameMicros);
    const told = this.#lastDuration ?? 0;
    const duration = told > 0 && told <= longest ? told : frameMicros;
    return {
      index: this.index,
      isVideo: this.isVideo,
      packets: this.packets,
      startSeconds: (this.#firstMicros ?? 0) / 1e6,
      endSeconds: this.packets === 0 ? 0 : (this.#clock.lastMicros + duration) / 1e6,
      perSecond: this.#tally.perSecond,
      isContinuous: this.#isContinuous,
      isTimed: this.#isTimed,
    };
  }

  #push(raw: number | null): void {
    const step = raw === null || this.#before === null ? 0 : raw - this.#before;
    if (step < 0 || step > this.#settings.maxGapMicros) this.#isContinuous = false;
    this.#before = raw ?? this.#before;
    this.#take(this.#clock.push(raw));
  }

  #take(times: readonly number[]): void {
    for (const micros of times) {
      this.#firstMicros ??= micros;
      // Of sound nobody asks for it, and a file may have many streams.
      if (this.isVideo) this.#tally.add(micros);
    }
  }
}
