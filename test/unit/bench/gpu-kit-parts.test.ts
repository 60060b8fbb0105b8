import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type Archive, MIB, type Part, planParts, summariseParts, writeParts } from '../../bench/gpu-kit/parts.ts';

const total = (part: Part): number => part.reduce((sum, { bytes }) => sum + bytes, 0);

/** Every slice of an archive, in the order of the parts. */
const slicesOf = (parts: readonly Part[], archive: string) => parts.flat().filter((slice) => slice.archive === archive);

test('nothing is lost and no part is over the limit', () => {
  const archives: readonly Archive[] = [36.2, 29.8, 0.6, 5.3, 20.6, 21, 50.2].map((size, i) => ({
    name: `archive-${i}`,
    bytes: Math.round(size * 1e6),
  }));
  for (const mib of [1, 2, 7.5, 58, 200]) {
    const parts = planParts(archives, mib * MIB);
    expect(parts.map(total).filter((bytes) => bytes > mib * MIB || bytes === 0)).toEqual([]);
    for (const { name, bytes } of archives) {
      let end = 0;
      for (const [index, slice] of slicesOf(parts, name).entries()) {
        expect(slice).toMatchObject({ slice: index, of: slicesOf(parts, name).length, start: end });
        end += slice.bytes;
      }
      expect(end).toBe(bytes);
    }
  }
});

test('an archive that does not fit goes on in the next part', () => {
  const parts = planParts(
    [
      { name: 'first', bytes: 3 * MIB },
      { name: 'second', bytes: 12 * MIB },
      { name: 'third', bytes: MIB },
    ],
    5 * MIB,
  );
  expect(parts).toEqual([
    [
      { archive: 'first', slice: 0, of: 1, start: 0, bytes: 3 * MIB },
      { archive: 'second', slice: 0, of: 3, start: 0, bytes: 2 * MIB },
    ],
    [{ archive: 'second', slice: 1, of: 3, start: 2 * MIB, bytes: 5 * MIB }],
    [{ archive: 'second', slice: 2, of: 3, start: 7 * MIB, bytes: 5 * MIB }],
    [{ archive: 'third', slice: 0, of: 1, start: 0, bytes: MIB }],
  ]);
  expect(summariseParts(parts)[0]).toEqual({ part: 1, bytes: 5 * MIB, holds: ['first 1/1', 'second 1/3'] });
});

test('less than a mebibyte of room is not filled with a slice', () => {
  const parts = planParts(
    [
      { name: 'first', bytes: 5 * MIB - 1000 },
      { name: 'second', bytes: 2 * MIB },
    ],
    5 * MIB,
  );
  expect(parts.map((slices) => slices.map(({ archive, bytes }) => [archive, bytes]))).toEqual([
    [['first', 5 * MIB - 1000]],
    [['second', 2 * MIB]],
  ]);
});

test('a small archive fills the room that is left when it fits, and is not split when it does not', () => {
  const parts = (small: number) =>
    planParts(
      [
        { name: 'first', bytes: 5 * MIB - 1000 },
        { name: 'small', bytes: small },
      ],
      5 * MIB,
    ).map(summariseNames);
  expect(parts(1000)).toEqual([['first 1/1', 'small 1/1']]);
  expect(parts(1001)).toEqual([['first 1/1'], ['small 1/1']]);
});

const summariseNames = (part: Part): readonly string[] => summariseParts([part])[0]?.holds ?? [];

test('a limit under a mebibyte is refused', () => {
  expect(() => planParts([{ name: 'first', bytes: 1 }], MIB - 1)).toThrow('at least one mebibyte');
  expect(() => planParts([{ name: 'first', bytes: 1 }], Number.NaN)).toThrow('at least one mebibyte');
});

test('the slices that are written make up the archives again, and part.json has their digests', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gpu-kit-parts-'));
  try {
    const contents = { first: bytesOf(1.5 * MIB, 3), second: bytesOf(1.2 * MIB, 7) };
    for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content);
    const archives = Object.entries(contents).map(([name, content]) => ({ name, bytes: content.length }));
    const parts = planParts(archives, MIB);
    const archivePath = (name: string): string => join(folder, name);
    await writeParts(parts, { folder, archivePath, onnxruntime: '1.2.3' });
    const joined = new Map<string, Buffer[]>();
    for (const number of parts.keys()) {
      const part = JSON.parse(await readFile(join(folder, String(number + 1), 'part.json'), 'utf8')) as PartFile;
      expect(part).toMatchObject({ part: number + 1, parts: parts.length, onnxruntime: '1.2.3' });
      for (const { archive, slice, bytes, sha256, of } of part.slices) {
        const content = await readFile(join(folder, String(number + 1), `${archive}.${slice}`));
        expect([content.length, createHash('sha256').update(content).digest('hex'), of]).toEqual([bytes, sha256, 2]);
        joined.set(archive, [...(joined.get(archive) ?? []), content]);
      }
    }
    expect(Buffer.concat(joined.get('first') ?? []).equals(contents.first)).toBe(true);
    expect(Buffer.concat(joined.get('second') ?? []).equals(contents.second)).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

interface PartFile {
  readonly slices: readonly {
    readonly archive: string;
    readonly slice: number;
    readonly bytes: number;
    readonly sha256: string;
    readonly of: number;
  }[];
}

const bytesOf = (length: number, step: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: Math.floor(length) }, (_, i) => (i * step + (i >> 8)) % 251));

test('an archive that is shorter than planned is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gpu-kit-parts-'));
  try {
    const path = join(folder, 'first');
    await writeFile(path, 'short');
    const parts = planParts([{ name: 'first', bytes: 6 }], MIB);
    const written = writeParts(parts, { folder, archivePath: () => path, onnxruntime: '1.2.3' });
    await expect(written).rejects.toThrow('shorter than it was');
  } finally {
    await rm(folder, { recursive: true });
  }
});
