import { createHash } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const MIB = 1024 ** 2;

export interface Archive {
  readonly name: string;
  readonly bytes: number;
}

/** A stretch of an archive that one part carries. */
export interface Slice {
  readonly archive: string;
  /** Counts from 0 within the archive. */
  readonly slice: number;
  readonly of: number;
  readonly start: number;
  readonly bytes: number;
}

export type Part = readonly Slice[];

export interface PartSummary {
  readonly part: number;
  readonly bytes: number;
  /** `archive number/of`, counted from 1. */
  readonly holds: readonly string[];
}

/** A smaller slice is not worth a file of its own: the archive, or the rest of it, goes into the next part whole. */
const SMALLEST_SLICE = MIB;

/**
 * Fills parts of at most `limit` bytes with the archives, in their order: one that does not fit into what is left goes on in the
 * next part. Throws for a limit under a mebibyte.
 */
export function planParts(archives: readonly Archive[], limit: number): readonly Part[] {
  if (!(limit >= SMALLEST_SLICE)) throw new Error(`a part holds at least one mebibyte, not ${limit} bytes`);
  const parts: Slice[][] = [[]];
  let room = limit;
  for (const { name, bytes } of archives) {
    const cuts: { readonly into: Slice[]; readonly start: number; readonly bytes: number }[] = [];
    for (let start = 0; start < bytes;) {
      if (room < Math.min(SMALLEST_SLICE, bytes - start)) {
        parts.push([]);
        room = limit;
      }
      const size = Math.min(room, bytes - start);
      cuts.push({ into: parts.at(-1) ?? [], start, bytes: size });
      start += size;
      room -= size;
    }
    for (const [slice, { into, ...place }] of cuts.entries()) {
      into.push({ archive: name, slice, of: cuts.length, ...place });
    }
  }
  return parts;
}

/** What a reader wants to know of each part. */
export function summariseParts(parts: readonly Part[]): readonly PartSummary[] {
  return parts.map((slices, index) => ({
    part: index + 1,
    bytes: slices.reduce((sum, { bytes }) => sum + bytes, 0),
    holds: slices.map(({ archive, slice, of }) => `${archive} ${slice + 1}/${of}`),
  }));
}

export interface WrittenParts {
  /** Gets a folder per part, named by its number. */
  readonly folder: string;
  readonly archivePath: (archive: string) => string;
  readonly onnxruntime: string;
}

/**
 * Writes each slice as `NUMBER/archive.slice`, and `NUMBER/part.json`, which has every slice's size and digest. Throws for an
 * archive that is shorter than planned.
 */
export async function writeParts(parts: readonly Part[], { folder, archivePath, onnxruntime }: WrittenParts) {
  for (const [index, slices] of parts.entries()) {
    const target = join(folder, String(index + 1));
    await mkdir(target, { recursive: true });
    const described: object[] = [];
    for (const { archive, slice, of, start, bytes } of slices) {
      const content = await readSlice(archivePath(archive), start, bytes);
      await writeFile(join(target, `${archive}.${slice}`), content);
      const sha256 = createHash('sha256').update(content).digest('hex');
      described.push({ archive, slice, bytes, sha256, of });
    }
    const description = { part: index + 1, parts: parts.length, onnxruntime, slices: described };
    await writeFile(join(target, 'part.json'), `${JSON.stringify(description, null, 1)}\n`);
  }
}

async function readSlice(path: string, start: number, bytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, start);
    if (bytesRead < bytes) throw new Error(`${path} is shorter than it was`);
    return buffer;
  } finally {
    await file.close();
  }
}
