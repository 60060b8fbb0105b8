import type { Box } from './box.ts';
import { crop, cropWindow, wholePixels } from './crop.ts';
import { boxIou } from './iou.ts';
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
export function faceCrop(picture: Picture, box: Box): Picture | null {
  return crop(picture, box);
}

/**
 * The body of detection `index` with every other person and every face (its own too) painted black; null where it is
 * smaller than 50 pixels or less than 40 % of its bytes are left. Follows MiVOLO's collect_crops, by which pixels that
 * were black before count as removed.
 */
export function bodyCrop(picture: Picture, detections: readonly ClassedBox[], index: number): Picture | null {
  const subject = detections[index];
  if (subject === undefined) return null;
  const body = crop(picture, subject.box);
  if (body === null || body.width < MIN_SIDE || body.height < MIN_SIDE) return null;
  const window = cropWindow(picture, subject.box);
  detections.forEach((other, position) => {
    if (position === index) return;
    const box = wholePixels(other.box);
    if (boxIou(window, box) < MIN_IOU) return;
    paintBlack(body, blankArea(body, window, box, other.class === 'person'));
  });
  return remainingShare(body) < MIN_REMAINING ? null : body;
}

function blankArea(body: Picture, window: Box, other: Box, snap: boolean): Box {
  const { width, height } = body;
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

function paintBlack(picture: Picture, area: Box): void {
  for (let y = area.y1; y < area.y2; y++) {
    picture.pixels.fill(0, (y * picture.width + area.x1) * 3, (y * picture.width + area.x2) * 3);
  }
}

function remainingShare(picture: Picture): number {
  let remaining = 0;
  for (const value of picture.pixels) if (value !== 0) remaining += 1;
  return remaining / picture.pixels.length;
}
