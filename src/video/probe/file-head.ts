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

/** Major brands of pictures in a row, which are videos where the file has an index of them. */
const SEQUENCE_BRANDS: Readonly<Record<string, string>> = {
  hevc: 'HEIC',
  hevx: 'HEIC',
  hevm: 'HEIC',
  hevs: 'HEIC',
  avis: 'AVIF',
  avcs: 'HEIF',
  jpgs: 'HEIF',
  msf1: 'HEIF',
};

/** Boxes without a meaning, which may come before the brand. */
const IDLE_BOX = /^(?:free|skip|wide|uuid)$/;

/** How pictures of other kinds begin, in hexadecimal; `..` stands for any byte. */
const PHOTO_STARTS: readonly (readonly [string, string])[] = [
  ['JPEG', 'ffd8ff'],
  ['PNG', '89504e470d0a1a0a'],
  ['WebP', '52494646........57454250'],
  ['TIFF', '49492a00'],
  ['TIFF', '4d4d002a'],
  ['JPEG XL', '0000000c4a584c20'],
  ['JPEG 2000', '0000000c6a502020'],
];

/** The kind of photo that a file is by its first bytes. The name and what a sender says do not count. */
export interface PhotoKind {
  readonly name: string;
  /** False for what may be a video all the same, where ffprobe finds one in it. */
  readonly isSure: boolean;
}

/** Boxes with which an MP4 or a MOV, or a piece of one, may begin. */
const FIRST_BOX = /^(?:ftyp|styp|moov|moof|mdat|free|skip|wide|uuid|pnot|sidx|pdin|meta)$/;

/** True for a file that begins as MP4 and MOV do, whatever has become of the rest. */
export function beginsWithBox(head: Buffer): boolean {
  return FIRST_BOX.test(head.toString('latin1', 4, 8));
}

/** Null for a file that does not begin as photos do. */
export function photoKind(head: Buffer): PhotoKind | null {
  const brand = brandOf(head);
  if (brand !== null) {
    const [photo, sequence] = [PHOTO_BRANDS[brand], SEQUENCE_BRANDS[brand]];
    if (photo !== undefined) return { name: photo, isSure: true };
    return sequence === undefined ? null : { name: sequence, isSure: false };
  }
  const start = head.toString('hex', 0, 16);
  const name = PHOTO_STARTS.find(([, pattern]) => new RegExp(`^${pattern}`).test(start))?.[0];
  return name === undefined ? null : { name, isSure: true };
}

/** The first bytes of a file. */
export async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The major brand of an ISO media file: MP4, MOV, HEIC, AVIF. */
function brandOf(head: Buffer): string | null {
  for (let at = 0; at + 12 <= head.length; at += head.readUInt32BE(at)) {
    const type = head.toString('latin1', at + 4, at + 8);
    if (type === 'ftyp') {
      const brand = head.toString('latin1', at + 8, at + 12);
      return brand.trim().toLowerCase();
    }
    if (!IDLE_BOX.test(type) || head.readUInt32BE(at) < 8) return null;
  }
  return null;
}
