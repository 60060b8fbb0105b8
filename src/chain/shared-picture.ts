import type { Picture } from '../vision/picture.ts';

/** A picture as it crosses threads: the memory is the same on both sides, nothing is copied. 8-bit RGB (HWC) from the first byte on. */
export interface SharedPicture {
  readonly width: number;
  readonly height: number;
  readonly memory: SharedArrayBuffer;
}

/** The picture in its memory. */
export function pictureIn({ width, height, memory }: SharedPicture): Picture {
  return { width, height, pixels: new Uint8Array(memory, 0, width * height * 3) };
}
