import type { Box } from '../box.ts';
import { tapReach } from '../crop-source.ts';
import { letterboxGeometry } from '../letterbox.ts';
import type { Picture } from '../picture.ts';
import type { PictureArea } from '../picture-area.ts';
import { resizeTaps, type TapGrid } from '../taps.ts';
import { orientationTaps, type OrientationWindow } from '../warp-affine.ts';
import type { KernelExports } from './kernel-exports.ts';
import type { KernelMemory } from './kernel-memory.ts';
import { fillAround, fillLevel, within, type PixelTarget } from './pixel-target.ts';
import type { OpenRows } from './source-rows.ts';
import { squareRows } from './square-rows.ts';
import { tappedRows, type Aim } from './tapped-rows.ts';

/** The ways to make a picture of a target's size. */
export interface PictureWriter {
  /** Fitted in, centred, small ones enlarged, with one grey level (0..255) around. */
  readonly letterbox: (source: PictureArea, target: PixelTarget, fill: number) => void;
  /** Stretched along each axis, without antialiasing. */
  readonly stretch: (source: PictureArea, target: PixelTarget) => void;
  /** The person's window of `orientationTaps`, black outside of the picture. */
  readonly orientation: (frame: Picture, box: Box, scale: number, target: PixelTarget) => void;
  /** Padded to a black square, resized with antialiasing. The target is a square. */
  readonly square: (source: PictureArea, target: PixelTarget) => void;
  readonly black: (target: PixelTarget) => void;
}

/** See `PictureWriter`. */
export function pictureWriter(kernel: KernelExports, memory: KernelMemory, open: OpenRows): PictureWriter {
  const writeTapped = tappedRows(kernel, memory, open);
  const writeSquare = squareRows(kernel, memory, open);
  const split = (source: PictureArea, target: PixelTarget): void => splitRows(kernel, open, source, target);

  const resize = (source: PictureArea, target: PixelTarget): void => {
    const { width, height } = sizeOf(source);
    const aim = { source, originX: 0, originY: 0 };
    writeTapped({
      target,
      rule: 'resize',
      aim: (taps) => {
        resizeTaps(width, target.width, 0, target.width, taps.columns);
        resizeTaps(height, target.height, 0, target.height, taps.rows);
        return aim;
      },
    });
  };
  // The reference leaves a picture of the right size as it is; its resize would not, at the borders.
  const stretch = (source: PictureArea, target: PixelTarget): void => {
    if (isSize(source, target)) split(source, target);
    else resize(source, target);
  };
  return {
    stretch,
    letterbox: (source, target, fill) => {
      if (isSize(source, target)) {
        split(source, target);
        return;
      }
      const size = sizeOf(source);
      const inner = letterboxGeometry(size.width, size.height, target.width, target.height);
      fillAround(kernel, target, inner, fill);
      // An extreme strip can shrink to nothing on its short side; there is then no pixel to place.
      if (inner.width > 0 && inner.height > 0) stretch(source, within(target, inner));
    },
    orientation: (frame, box, scale, target) => {
      const { width, height } = target;
      const aim = (taps: TapGrid): Aim | null => aimAtPerson(frame, box, { width, height, scale }, taps);
      if (!writeTapped({ target, rule: 'grid', aim })) fillLevel(kernel, target, 0);
    },
    square: (source, target) => {
      const { width, height } = sizeOf(source);
      const side = Math.max(width, height);
      if (side !== target.width) {
        writeSquare(source, target);
        return;
      }
      const inner = { left: Math.floor((side - width) / 2), top: Math.floor((side - height) / 2), width, height };
      fillAround(kernel, target, inner, 0);
      split(source, within(target, inner));
    },
    black: (target) => fillLevel(kernel, target, 0),
  };
}

function aimAtPerson(frame: Picture, box: Box, target: OrientationWindow, taps: TapGrid): Aim | null {
  orientationTaps(frame, box, target, taps);
  const [x, y] = [tapReach(taps.columns), tapReach(taps.rows)];
  if (x === null || y === null) return null;
  const window = { x1: x.from, y1: y.from, x2: x.to, y2: y.to };
  return { source: { frame, window }, originX: x.from, originY: y.from };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function sizeOf({ window }: PictureArea): Size {
  return { width: window.x2 - window.x1, height: window.y2 - window.y1 };
}

function isSize(source: PictureArea, size: Size): boolean {
  const { width, height } = sizeOf(source);
  return width === size.width && height === size.height;
}

/** The pixels as they are. */
function splitRows(kernel: KernelExports, open: OpenRows, source: PictureArea, target: PixelTarget): void {
  const { address, stride, step, levels, width, height } = target;
  const rows = open(source);
  for (let row = 0; row < height; row++) {
    const from = rows.copy(row, 0);
    kernel.splitRows(from, rows.pitch, 1, width, address + row * stride, stride, step, levels.as, levels.address);
  }
}
