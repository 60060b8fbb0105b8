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

/** The part of a picture that is a person's body, and what of it is to be black: rectangles in the window's pixels. */
export interface BodyArea {
  readonly window: Box;
  readonly blanks: readonly Box[];
}

/**
 * Where the body of detection `index` is, with every other person and every face (its own too) to be painted black; null
 * where it is smaller than 50 pixels or less than 40 % of its bytes would be left. Follows MiVOLO's collect_crops, by
 * which pixels that were black before count as removed.
 */
export function bodyArea(picture: Picture, detections: readonly ClassedBox[], index: number): BodyArea | null {
  const subject = detections[index];
  if (subject === undefined) return null;
  const window = cropWindow(picture, subject.box);
  const size = { width: window.x2 - window.x1, height: window.y2 - window.y1 };
  // Written so that a box of NaN is nothing, too.
  if (!(size.width >= MIN_SIDE && size.height >= MIN_SIDE)) return null;
  const blanks = detections.flatMap((other, position) => {
    const box = wholePixels(other.box);
    if (position === index || boxIou(window, box) < MIN_IOU) return [];
    return [blankArea(size, window, box, other.class === 'person')];
  });
  return enoughRemains(picture, window, blanks) ? { window, blanks } : null;
}

/** That body, cut out and painted. */
export function bodyCrop(picture: Picture, detections: readonly ClassedBox[], index: number): Picture | null {
  const area = bodyArea(picture, detections, index);
  if (area === null) return null;
  const body = crop(picture, area.window);
  if (body !== null) for (const blank of area.blanks) paintBlack(body, blank);
  return body;
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

function paintBlack(picture: Picture, area: Box): void {
  for (let y = area.y1; y < area.y2; y++) {
    picture.pixels.fill(0, (y * picture.width + area.x1) * 3, (y * picture.width + area.x2) * 3);
  }
}

/** Counts bytes that are neither black nor to be blanked, and stops when the answer is known. */
function enoughRemains(picture: Picture, window: Box, blanks: readonly Box[]): boolean {
  const width = window.x2 - window.x1;
  const height = window.y2 - window.y1;
  const total = width * height * 3;
  const blanked = new Uint8Array(width);
  let remaining = 0;
  for (let y = 0; y < height && remaining / total < MIN_REMAINING; y++) {
    blanked.fill(0);
    for (const area of blanks) if (y >= area.y1 && y < area.y2) blanked.fill(1, area.x1, area.x2);
    let at = ((window.y1 + y) * picture.width + window.x1) * 3;
    for (let x = 0; x < width; x++, at += 3) {
      if (blanked[x] === 1) continue;
      for (let channel = 0; channel < 3; channel++) if (picture.pixels[at + channel] !== 0) remaining += 1;
    }
  }
  return remaining / total >= MIN_REMAINING;
}
