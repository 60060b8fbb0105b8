import type { Picture } from '../../src/vision/picture.ts';

/** Centres a picture on a black square of its longer side; an odd rest goes to the right and the bottom. */
export function padSquare(picture: Picture): Picture {
  const side = Math.max(picture.width, picture.height);
  if (picture.width === picture.height) return picture;
  const left = Math.floor((side - picture.width) / 2);
  const top = Math.floor((side - picture.height) / 2);
  const pixels = new Uint8Array(side * side * 3);
  for (let y = 0; y < picture.height; y++) {
    const row = picture.pixels.subarray(y * picture.width * 3, (y + 1) * picture.width * 3);
    pixels.set(row, ((top + y) * side + left) * 3);
  }
  return { width: side, height: side, pixels };
}
