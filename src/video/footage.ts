/** A stretch of a video that its file promises, or holds, and that no frame came of. Seconds on the clock of `Frame.t`. */
export interface MissingFootage {
  readonly fromSeconds: number;
  /** Null where nothing says how much is missing. */
  readonly toSeconds: number | null;
  /** What is missing and why, for an operator. */
  readonly why: string;
}

/** What a video turned out to be; known when its last frame was decoded. */
export interface Footage {
  /** Where the video ends on the player's clock, seconds since the earliest stream's start. */
  readonly durationSeconds: number;
  /** Frames that were decoded, sampled or not. */
  readonly decodedFrames: number;
  /** `fast` where frames were left out, so that a sample may be a later frame of its interval than the first one. */
  readonly decode: 'exact' | 'fast';
  /** In order of time; empty for a file that kept its promise. */
  readonly missing: readonly MissingFootage[];
}
