import type { Box } from './box.ts';
import { cropWindow, pixelWindow, wholePixels } from './crop.ts';
import { boxIou } from './iou.ts';
import type { PixelKernel } from './kernel/pixel-kernel.ts';
import type { PictureArea } from './picture-area.ts';
import type { Picture } from './picture.ts';

export interface ClassedBox {
  readonly class: 'person' | 'face';
  readonly box: Box;
}

const MIN_SIDE = 50;
const MIN_REMAINING = 0.4;
const BORDER_SHARE = 0.3;
const MIN_IOU = 1e-6;

/** The face as it is; null where nothing is left of its box. */
export function faceArea(frame: Picture, box: Box): Required<PictureArea> | null {
  const window = pixelWindow(frame, box);
  return window === null ? null : { frame, window, blanks: [] };
}

/**
 * Where the body of detection `index` is, with every other person and every face (its own too) to be painted black; null
 * where it is smaller than 50 pixels or less than 40 % of its bytes would be left. Follows MiVOLO's collect_crops, by
 * which pixels that were black before count as removed.
 */
export function bodyArea(
  frame: Picture,
  detections: readonly ClassedBox[],
  index: number,
  kernel: Pick<PixelKernel, 'isLit'>,
): Required<PictureArea> | null {
  const subject = detections[index];
  if (subject === undefined) return null;
  const window = cropWindow(frame, subject.box);
  const size = { width: window.x2 - window.x1, height: window.y2 - window.y1 };
  // Written so that a box of NaN is nothing, too.
  if (!(size.width >= MIN_SIDE && size.height >= MIN_SIDE)) return null;
  const blanks = detections.flatMap((other, position) => {
    const box = wholePixels(other.box);
    if (position === index || boxIou(window, box) < MIN_IOU) return [];
    return [blankArea(size, window, box, other.class === 'person')];
  });
  const area = { frame, window, blanks };
  return kernel.isLit(area, MIN_REMAINING) ? area : null;
}

function blankArea(
  size: { readonly width: number; readonly height: number },
  window: Box,
  other: Box,
  snap: boolean,
): Box {
  const { width, height } = size;
  const x1 = Math.min(Math.max(other.x1 - window.x1, 0), width);
  const y1 = Math.min(Math.max(other.y1 - window.y1, 0), height);
  const x2 = Math.min(Math.max(other.x2 - window.x1, 0), width);
  const y2 = Math.min(Math.max(other.y2 - window.y1, 0), height);
  if (!snap) return { x1, y1, x2, y2 };
  return {
    x1: x1 / width < BORDER_SHARE ? 0 : x1,
    y1: y1 / height < BORDER_SHARE ? 0 : y1,
    x2: (width - x2) / width < BORDER_SHARE ? width : x2,
    y2: (height - y2) / height < BORDER_SHARE ? height : y2,
  };
}
