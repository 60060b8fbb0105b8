import { type Check, fail, ok } from './check.ts';

export interface PictureDeps {
  /** A small picture with a box and a caption as JPEG; rejects where libvips, or what it draws with, cannot be loaded. */
  drawPicture(): Promise<Uint8Array>;
}

const FIX = 'run scripts/setup again, or unpack the bundle anew';
const JPEG_START = [0xff, 0xd8, 0xff];

/**
 * Whether pictures can be made. libvips is loaded for the first one, which an event of some video asks for: a library that is lacking
 * would otherwise be found when messages have been received.
 */
export function picturesCheck(deps: PictureDeps): Check {
  return {
    name: 'pictures',
    timeoutMs: 20_000,
    fix: FIX,
    run: async () => {
      const jpeg = await deps.drawPicture();
      if (JPEG_START.every((byte, index) => jpeg[index] === byte)) return ok(`a JPEG of ${jpeg.length} bytes`);
      return fail('what is drawn is no JPEG', FIX);
    },
  };
}
