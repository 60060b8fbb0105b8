import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from '@jest/globals';
import sharp from 'sharp';
import { loadPack } from '../../../src/packs/load-pack.ts';
import type { Pack } from '../../../src/packs/load-pack.ts';
import type { Picture } from '../../../src/vision/picture.ts';

/** Folder of the test pack's files, which stay outside this repository. */
export const streetDir = resolve(process.env['STREET_DIR'] ?? '../shared/packs/street');
export const hasStreet = existsSync(join(streetDir, 'detector.onnx'));

/** `test` where the pack's files are, else a skipped test whose title says what is missing. */
export const streetTest: (title: string, run: () => Promise<void>) => void = hasStreet
  ? (title, run) => test(title, run)
  : (title) => test.skip(`${title} (no files in ${streetDir}; set STREET_DIR)`, () => undefined);

export function loadStreet(): Promise<Pack> {
  return loadPack('test/packs/street', { filesRoot: streetDir });
}

/** A raw file of little-endian float32 beside the golden values. */
export function goldenFloats(name: string): Float32Array {
  const bytes = readFileSync(join(streetDir, 'golden', name));
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

export interface GoldenCrop {
  readonly png: string;
  readonly source: { readonly frameIndex: number; readonly box: readonly number[]; readonly cut: readonly number[] };
  readonly pixelValues: { readonly file: string };
  readonly imageFeatures: { readonly file: string };
  readonly prefillLastLogits: { readonly file: string };
  readonly greedyTokenIds: readonly number[];
  readonly greedyText: string;
  readonly action: string;
  readonly labelLogProbs: Readonly<
    Record<
      string,
      { readonly tokenIds: readonly number[]; readonly tokenLogProbs: readonly number[]; readonly sum: number }
    >
  >;
  readonly ageGender: {
    readonly raw: readonly number[];
    readonly age: number;
    readonly gender: string;
    readonly genderScore: number;
  };
  readonly orientation: { readonly degrees: number };
}

export interface GoldenVlm {
  readonly promptTokenIds: readonly number[];
  readonly imageTokenStart: number;
  readonly crops: readonly GoldenCrop[];
}

export function goldenVlm(): GoldenVlm {
  return JSON.parse(readFileSync(join(streetDir, 'golden', 'vlm.json'), 'utf8')) as GoldenVlm;
}

/** The picture of a golden crop. */
export async function readCrop(name: string): Promise<Picture> {
  const file = join(streetDir, 'golden', name);
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: data };
}

/** Largest absolute difference of two sequences of one length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  return largest;
}
