import type { Normalisation } from '../../src/vision/levels.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { letterbox } from './letterbox.ts';
import { writePlanes } from './write-planes.ts';

/**
 * Writes one row [6, size, size] (face RGB, then body RGB) from `offset` on: letterboxed on black, normalised. An absent
 * part is a black picture normalised like any other, not zeros.
 */
export function writeAgeGenderRow(
  face: Picture | null,
  body: Picture | null,
  out: Float32Array,
  offset: number,
  settings: Normalisation & { readonly size: number },
): void {
  const { size } = settings;
  const black = (): Picture => ({ width: size, height: size, pixels: new Uint8Array(size * size * 3) });
  writePlanes(face === null ? black() : letterbox(face, size, size, 0), out, offset, settings);
  writePlanes(body === null ? black() : letterbox(body, size, size, 0), out, offset + 3 * size * size, settings);
}
