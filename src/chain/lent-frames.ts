import { Failure } from '../failure/failure.ts';
import type { Frame } from '../video/frame.ts';
import type { FrameHandle } from './model-chain.ts';
import type { SharedPicture } from './shared-picture.ts';

/** A frame in use by one call. */
interface Loan {
  readonly picture: SharedPicture;
  /** The call has ended in its thread. To be called once. */
  readonly end: () => void;
}

interface Kept {
  readonly frame: Frame;
  readonly picture: SharedPicture;
  /** Calls that may read the pixels. */
  readers: number;
  isReleased: boolean;
}

/**
 * The frames of all videos in flight, by handle. A frame's memory goes back when its owner has released the handle and no call reads it
 * any more: one that was aborted is answered at once, and its thread may read on.
 */
export class LentFrames {
  readonly #kept = new Map<FrameHandle, Kept>();
  #last = 0;

  /** Takes a frame over; throws VIDEO_DECODE_FAILED where its memory does not hold exactly its pixels: it stays the caller's then. */
  add(frame: Frame): FrameHandle {
    const { width, height, pixels, index } = frame;
    const bytes = width * height * 3;
    if (pixels.length !== bytes || pixels.byteOffset !== 0) {
      throw new Failure(
        'VIDEO_DECODE_FAILED',
        `frame ${index} has ${pixels.length} bytes from byte ${pixels.byteOffset} on, expected ${bytes} from 0 on for ${width}x${height} RGB`,
      );
    }
    const handle = ++this.#last as FrameHandle;
    const picture = { width, height, memory: pixels.buffer };
    this.#kept.set(handle, { frame, picture, readers: 0, isReleased: false });
    return handle;
  }

  /** Throws INFERENCE_FAILED for a handle that was never added or is released. */
  lend(handle: FrameHandle): Loan {
    const kept = this.#kept.get(handle);
    if (kept === undefined) {
      throw new Failure('INFERENCE_FAILED', `no frame has the handle ${handle}: it was never added or is released`);
    }
    kept.readers += 1;
    return {
      picture: kept.picture,
      end: () => {
        kept.readers -= 1;
        giveBackIfIdle(kept);
      },
    };
  }

  /** Lends two frames or none. */
  lendBoth(one: FrameHandle, other: FrameHandle): readonly [Loan, Loan] {
    const first = this.lend(one);
    try {
      return [first, this.lend(other)];
    } catch (error) {
      first.end();
      throw error;
    }
  }

  release(handle: FrameHandle): void {
    const kept = this.#kept.get(handle);
    if (kept === undefined) return;
    this.#kept.delete(handle);
    kept.isReleased = true;
    giveBackIfIdle(kept);
  }

  /** Releases every handle. */
  releaseAll(): void {
    for (const handle of this.#kept.keys()) this.release(handle);
  }
}

function giveBackIfIdle({ frame, readers, isReleased }: Kept): void {
  if (isReleased && readers === 0) frame.release();
}
