import type { Box } from '../box.ts';
import type { Picture } from '../picture.ts';
import type { PictureArea } from '../picture-area.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { PictureWriter } from './picture-writer.ts';
import type { PixelTarget } from './pixel-target.ts';

/**
 * Pictures of one size as float planes (CHW, RGB), one behind the other. `place` counts pictures; each is made in the way of the
 * reference that the method's name says, as documented at `PictureWriter`.
 */
export interface FloatPlanes {
  /** Makes room for so many pictures, before the first of them is written. */
  readonly reserve: (pictures: number) => void;
  readonly letterbox: (place: number, source: PictureArea, fill: number) => void;
  readonly stretch: (place: number, source: PictureArea) => void;
  readonly orientation: (place: number, frame: Picture, box: Box, scale: number) => void;
  readonly square: (place: number, source: PictureArea) => void;
  readonly black: (place: number) => void;
  /**
   * The first pictures, in place: to be read before anything else is written by the same kernel. What was not written since holds
   * what was there before.
   */
  readonly view: (pictures: number) => Float32Array<ArrayBuffer>;
}

/** See `FloatPlanes`. */
export function floatPlanes(
  memory: KernelMemory,
  size: { readonly width: number; readonly height: number },
  writer: PictureWriter,
  targetAt: (address: number) => PixelTarget,
): FloatPlanes {
  const floats = 3 * size.width * size.height;
  const room = memory.room();
  let reserved = 0;
  const addressOf = (place: number): number => {
    if (place >= reserved) throw new RangeError(`place ${place} of ${reserved} reserved pictures`);
    return room(0) + place * floats * 4;
  };
  const target = (place: number): PixelTarget => targetAt(addressOf(place));
  return {
    reserve: (pictures) => {
      room(pictures * floats * 4);
      reserved = Math.max(reserved, pictures);
    },
    letterbox: (place, source, fill) => writer.letterbox(source, target(place), fill),
    stretch: (place, source) => writer.stretch(source, target(place)),
    orientation: (place, frame, box, scale) => writer.orientation(frame, box, scale, target(place)),
    square: (place, source) => writer.square(source, target(place)),
    black: (place) => writer.black(target(place)),
    view: (pictures) => {
      if (pictures > reserved) throw new RangeError(`${pictures} pictures of ${reserved} reserved ones`);
      return memory.floats(room(0), pictures * floats);
    },
  };
}
