import { open } from 'node:fs/promises';

const HEAD_BYTES = 4096;

/** Major brands of files that hold pictures and no recording: HEIF and AVIF stills, JPEG XL, JPEG 2000, Canon's raw pictures. */
const PHOTO_BRANDS: Readonly<Record<string, string>> = {
  heic: 'HEIC',
  heix: 'HEIC',
  heim: 'HEIC',
  heis: 'HEIC',
  avif: 'AVIF',
  mif1: 'HEIF',
  mif2: 'HEIF',
  avci: 'HEIF',
  jxl: 'JPEG XL',
  jp2: 'JPEG 2000',
  jpx: 'JPEG 2000',
  jpm: 'JPEG 2000',
  crx: 'CR3',
};

/** How pictures of other kinds begin, in hexadecimal; `..` stands for any byte. */
const PHOTO_STARTS: readonly (readonly [string, string])[] = [
  ['JPEG', 'ffd8ff'],
  ['PNG', '89504e470d0a1a0a'],
  ['WebP', '52494646........57454250'],
  ['TIFF', '49492a00'],
  ['TIFF', '4d4d002a'],
  ['JPEG XL', '0000000c4a584c20'],
];

/** The kind of photo that a file is by its first bytes; null when it may be a video. The name and what a sender says do not count. */
export async function photoKindOf(file: string): Promise<string | null> {
  return photoKind(await headOf(file));
}

/** As `photoKindOf`, of the bytes themselves. */
export function photoKind(head: Buffer): string | null {
  const text = head.toString('latin1');
  if (text.slice(4, 8) === 'ftyp') return PHOTO_BRANDS[text.slice(8, 12).trim().toLowerCase()] ?? null;
  const start = head.toString('hex', 0, 16);
  return PHOTO_STARTS.find(([, pattern]) => new RegExp(`^${pattern}`).test(start))?.[0] ?? null;
}

async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
