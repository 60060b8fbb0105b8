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
  /** In shared memory from its first byte on, exactly width * height * 3 bytes: any thread reads them in place. The memory may be longer. */
  readonly pixels: Uint8Array<SharedArrayBuffer>;
  /** Nobody reads the pixels any more: their memory takes another frame. Harmless when called again. */
  readonly release: () => void;
}
