import type { Failure } from '../../failure/failure.ts';
import type { FrameSlot } from '../frames/frame-pool.ts';
import type { NearEnd } from '../tools/socket-pair.ts';

/**
 * Whole frames that may wait for the consumer; a third one would mean that ffmpeg runs away from it. No fewer: `MediaClock` may need the time of
 * the frame after next, and ffmpeg tells it only when the two before it were taken.
 */
export const MAX_WAITING = 2;

/**
 * The frames of one pass of ffmpeg, from a socket to whoever takes them. Reading stops while frames wait, so the socket fills, ffmpeg
 * blocks, and memory does not grow with the length of the video: two frames that wait and one that fills.
 */
export interface FrameStream extends AsyncDisposable {
  /** Begins to read from the socket at the path; to be called once. Throws HOST_OUT_OF_MEMORY. */
  readonly connect: (path: string) => NearEnd;
  /** `onChange` is called whenever a frame has come, or more; when nothing more is read; and when all bytes have come. */
  follow(onChange: () => void): void;
  /** Whole frames. */
  readonly waiting: number;
  /** The next frame, which its taker releases. */
  take(): FrameSlot | null;
  /** True when all bytes have come. */
  readonly ended: boolean;
  /** Why nothing more is read: the host's fault. */
  readonly failure: Failure | null;
  /** Bytes of a frame that has begun and not ended. */
  readonly partialBytes: number;
  /** How often something was read: it grows while bytes come. */
  readonly reads: number;
  /** Reads nothing more and gives back the memory of what nobody took. */
  [Symbol.asyncDispose](): Promise<void>;
}
