/** One sampled picture of a video: 8-bit RGB, interleaved (HWC), display orientation. */
export interface Frame {
  /** Position in the sequence of sampled frames, from 0. */
  readonly sample: number;
  /** Number of the decoded frame, from 0, in presentation order. */
  readonly index: number;
  /** The time that a player shows: seconds since the start of the file's earliest stream. Grows from frame to frame. */
  readonly t: number;
  readonly width: number;
  readonly height: number;
  /** Owns its whole ArrayBuffer (offset 0), so that it can be transferred to another thread. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}
