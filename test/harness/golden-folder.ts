import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import type { Picture } from '../../src/vision/picture.ts';

/** A reference to raw little-endian values beside a `cases.json`. */
export interface RawFile {
  readonly file: string;
  readonly dtype: 'uint8' | 'float32';
  readonly shape: readonly number[];
}

/** Rows `start_row`, `start_row + row_step`, ... of a picture whose checksum is over all rows. */
export interface PictureRows extends RawFile {
  readonly start_row: number;
  readonly row_step: number;
  readonly full_sha256: string;
}

/** Values 0, stride, 2 * stride, ... of a flat tensor. */
export interface StridedValues extends RawFile {
  readonly stride: number;
}

export const goldenDir = resolve(process.env['GOLDEN_DIR'] ?? '../shared/golden');

/** One group's files, read on demand. */
export class GoldenFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  json(file: string): unknown {
    return JSON.parse(readFileSync(join(this.#dir, file), 'utf8'));
  }

  float32(raw: RawFile): Float32Array {
    const bytes = new Uint8Array(readFileSync(join(this.#dir, raw.file)));
    return new Float32Array(bytes.buffer, 0, bytes.byteLength / 4);
  }

  uint8(raw: RawFile): Uint8Array {
    return new Uint8Array(readFileSync(join(this.#dir, raw.file)));
  }

  async picture(file: string): Promise<Picture> {
    return await readPicture(join(this.#dir, file));
  }
}

/** A group's cases; none where the folder is not there. */
export class GoldenGroup<Case extends { id: string }> {
  readonly cases: readonly Case[];
  readonly #name: string;
  readonly #dir: string;

  constructor(name: string) {
    this.#name = name;
    this.#dir = join(goldenDir, name);
    const file = join(this.#dir, 'cases.json');
    this.cases = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }).cases : [];
  }

  /** Declares a test for every case; without the folder one skipped test that says where it was looked for. */
  each(check: (c: Case, files: GoldenFiles) => void | Promise<void>): void {
    if (!existsSync(this.#dir)) {
      test.skip(`${this.#name} (no files in ${this.#dir}; set GOLDEN_DIR)`, () => undefined);
      return;
    }
    const files = new GoldenFiles(this.#dir);
    describe(this.#name, () => {
      test('has cases', () => expect(this.cases.length).toBeGreaterThan(0));
      test.each(this.cases.map((c) => [c.id, c] as const))('%s', async (_id, c) => {
        await check(c, files);
      });
    });
  }
}

export async function readPicture(path: string): Promise<Picture> {
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: new Uint8Array(data) };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Largest and mean absolute difference of two equally long lists. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): { max: number; mean: number } {
  if (actual.length !== expected.length) {
    throw new Error(`${actual.length} values where ${expected.length} were expected`);
  }
  let max = 0;
  let sum = 0;
  for (let i = 0; i < actual.length; i++) {
    const delta = Math.abs((actual[i] as number) - (expected[i] as number));
    max = Math.max(max, Number.isNaN(delta) ? Infinity : delta);
    sum += delta;
  }
  return { max, mean: actual.length > 0 ? sum / actual.length : 0 };
}

/** The listed rows of a picture, one after another. */
export function rowsOf(picture: Picture, rows: Iterable<number>): Uint8Array {
  const stride = picture.width * 3;
  const parts = Array.from(rows, (y) => picture.pixels.subarray(y * stride, (y + 1) * stride));
  return new Uint8Array(Buffer.concat(parts));
}

/** start, start + step, ... below end. */
export function every(start: number, step: number, end: number): number[] {
  const values: number[] = [];
  for (let value = start; value < end; value += step) values.push(value);
  return values;
}

/** The stored rows agree to the last bit, and so does the checksum of the whole picture. */
export function expectSamePicture(picture: Picture, expected: PictureRows, files: GoldenFiles): void {
  const rows = rowsOf(picture, every(expected.start_row, expected.row_step, picture.height));
  expect(difference(rows, files.uint8(expected)).max).toBe(0);
  expect(sha256(picture.pixels)).toBe(expected.full_sha256);
}

/** Largest difference at the stored places of a flat tensor. */
export function stridedDifference(values: Float32Array, expected: StridedValues, files: GoldenFiles): number {
  const picked = every(0, expected.stride, values.length).map((i) => values[i]!);
  return difference(picked, files.float32(expected)).max;
}
