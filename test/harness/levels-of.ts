import type { Picture } from '../../src/vision/picture.ts';

/** The picture that float planes (CHW) of level / 255 were made from. */
export function levelsOf(planes: Float32Array, width: number, height: number): Picture {
  const area = width * height;
  const pixels = new Uint8Array(3 * area);
  for (let i = 0; i < 3 * area; i++) pixels[i] = Math.round((planes[(i % 3) * area + Math.floor(i / 3)] ?? 0) * 255);
  return { width, height, pixels };
}
