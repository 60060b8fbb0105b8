import type { DisplayGeometry } from './probe/display-geometry.ts';
import type { PacketScan } from './probe/packet-scan.ts';
import type { VideoInfo } from './video-info.ts';

/** A probed video: what is told of it, and what its decoding goes by. */
export interface ProbedVideo extends VideoInfo {
  /** The stream that is the recording, by ffmpeg's index. */
  readonly streamIndex: number;
  /** As the processor's decoder makes the pictures, by ffmpeg's name. */
  readonly pixelFormat: string | null;
  readonly geometry: DisplayGeometry;
  /** Start of the earliest stream on the file's own clock, whole microseconds: the zero of `Frame.t`. */
  readonly startMicros: number;
  /** A longer step of the file's clock is no silence in the footage but another clock. */
  readonly maxGapMicros: number;
  /** What ffmpeg and ffprobe need before `-i` to read the whole file. */
  readonly inputOptions: readonly string[];
  /** Where the header had to be doubted. */
  readonly packets: PacketScan | null;
}
