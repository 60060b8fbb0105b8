import type { Picture } from '../../../src/vision/picture.ts';

/** One number a pixel, the same in all three channels. */
export function grey(...rows: readonly (readonly number[])[]): Picture {
  const width = rows[0]?.length ?? 0;
  const pixels = Uint8Array.from(rows.flat().flatMap((level) => [level, level, level]));
  return { width, height: rows.length, pixels };
}

export function flat(width: number, height: number, level: number): Picture {
  return { width, height, pixels: new Uint8Array(width * height * 3).fill(level) };
}

/** The red channel, row by row. */
export function levels(picture: Picture): number[][] {
  return Array.from({ length: picture.height }, (_, y) =>
    Array.from({ length: picture.width }, (_, x) => picture.pixels[(y * picture.width + x) * 3]!),
  );
}

/** Numbers 0..1 that are the same in every run. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
