import { letterboxGeometry } from '../../src/vision/letterbox.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { resizeInto } from './resize-bilinear.ts';

/** Resizes and pads to the target with one grey level (0..255). */
export function letterbox(picture: Picture, targetWidth: number, targetHeight: number, fill: number): Picture {
  if (picture.width === targetWidth && picture.height === targetHeight) return picture;
  const { width, height, left, top } = letterboxGeometry(picture.width, picture.height, targetWidth, targetHeight);
  const pixels = new Uint8Array(targetWidth * targetHeight * 3);
  if (fill !== 0 && (width < targetWidth || height < targetHeight)) pixels.fill(fill);
  // An extreme strip can shrink to nothing on its short side; there is then no pixel to place.
  if (width > 0 && height > 0) {
    const stride = targetWidth * 3;
    resizeInto(picture, { width, height, pixels, stride, offset: top * stride + left * 3 });
  }
  return { width: targetWidth, height: targetHeight, pixels };
}
