import type { Frame } from '../../src/video/frame.ts';

interface FramePicture extends Partial<Omit<Frame, 'pixels'>> {
  readonly width: number;
  readonly height: number;
  /** None when absent: a frame that only pretends. */
  readonly pixels?: Uint8Array;
}

/** A frame as the decoder gives it, with a copy of the pixels in shared memory; the first one, at 0 s, unless it is said otherwise. */
export function sharedFrame({ pixels = new Uint8Array(0), ...rest }: FramePicture): Frame {
  return { sample: 0, index: 0, t: 0, release: () => undefined, ...rest, pixels: sharedCopy(pixels) };
}

function sharedCopy(pixels: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(pixels.length));
  copy.set(pixels);
  return copy;
}
