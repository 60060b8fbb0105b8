/** One stream as its packets tell of it, read without decoding. */
export interface ScannedStream {
  readonly index: number;
  readonly packets: number;
  /** First and last moment on the clock of `Frame.t`, seconds; the last packet's own duration is in it. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** How many packets begin in each second of that clock. */
  readonly perSecond: readonly number[];
}

/** What the packets of a file say, where its header is silent or not to be believed. */
export interface PacketScan {
  readonly streams: readonly ScannedStream[];
  /** Bytes of the file behind the last packet of any stream; 0 where the container does not say where packets are. */
  readonly bytesAfterLast: number;
}
