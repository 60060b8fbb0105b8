import { Failure } from '../failure/failure.ts';
import type { Picture } from '../vision/picture.ts';

/** Frames of all videos in flight by handle. Work that has begun keeps its picture when the handle is released. */
export class FrameStore {
  readonly #frames = new Map<number, Picture>();

  add(handle: number, picture: Picture): void {
    this.#frames.set(handle, picture);
  }

  release(handle: number): void {
    this.#frames.delete(handle);
  }

  get(handle: number): Picture {
    const frame = this.#frames.get(handle);
    if (frame === undefined) {
      throw new Failure('INFERENCE_FAILED', `no frame has the handle ${handle}: it was never added or is released`);
    }
    return frame;
  }
}
