import { bodyArea, faceArea, type ClassedBox } from '../../src/vision/body-crop.ts';
import type { Box } from '../../src/vision/box.ts';
import type { PictureArea } from '../../src/vision/picture-area.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { crop } from './crop.ts';

/** The face as it is; null where nothing is left of its box. */
export function faceCrop(picture: Picture, box: Box): Picture | null {
  return faceArea(picture, box) === null ? null : crop(picture, box);
}

/** The body of detection `index`, cut out and painted; null where it is not usable. */
export function bodyCrop(picture: Picture, detections: readonly ClassedBox[], index: number): Picture | null {
  const area = bodyArea(picture, detections, index, { isLit });
  if (area === null) return null;
  const body = crop(picture, area.window);
  if (body !== null) for (const blank of area.blanks) paintBlack(body, blank);
  return body;
}

function paintBlack(picture: Picture, area: Box): void {
  for (let y = area.y1; y < area.y2; y++) {
    picture.pixels.fill(0, (y * picture.width + area.x1) * 3, (y * picture.width + area.x2) * 3);
  }
}

/** Whether a share of the window's bytes is neither black nor to be blanked; counting stops when the answer is known. */
export function isLit({ frame: picture, window, blanks = [] }: PictureArea, share: number): boolean {
  const width = window.x2 - window.x1;
  const height = window.y2 - window.y1;
  const total = width * height * 3;
  const blanked = new Uint8Array(width);
  let remaining = 0;
  for (let y = 0; y < height && remaining / total < share; y++) {
    blanked.fill(0);
    for (const area of blanks) if (y >= area.y1 && y < area.y2) blanked.fill(1, area.x1, area.x2);
    let at = ((window.y1 + y) * picture.width + window.x1) * 3;
    for (let x = 0; x < width; x++, at += 3) {
      if (blanked[x] === 1) continue;
      for (let channel = 0; channel < 3; channel++) if (picture.pixels[at + channel] !== 0) remaining += 1;
    }
  }
  return remaining / total >= share;
}
