import { levelTable, type Normalisation } from '../../src/vision/levels.ts';
import type { Picture } from '../../src/vision/picture.ts';

/**
 * Writes a picture (HWC, 0..255) as three float planes (CHW) from `offset` on: x/255, then (x - mean) / std where given.
 * Each level is computed once in double precision and rounded to single, as the references do it.
 */
export function writePlanes(picture: Picture, out: Float32Array, offset: number, normalisation?: Normalisation): void {
  const { pixels } = picture;
  const area = picture.width * picture.height;
  for (let channel = 0; channel < 3; channel++) {
    const levels = levelTable(normalisation?.mean[channel] ?? 0, normalisation?.std[channel] ?? 1);
    const start = offset + channel * area;
    for (let i = 0, p = channel; i < area; i++, p += 3) {
      out[start + i] = levels[pixels[p] as number] as number;
    }
  }
}
