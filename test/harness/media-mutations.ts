import { pick } from '../chaos/random.ts';

type Random = () => number;

/** Of MPEG-TS. */
const PACKET_BYTES = 188;

/** Damages a file in one way; the same random numbers make the same damage. */
export function mutateMedia(file: Buffer, random: Random): Buffer {
  return pick(random, MUTATIONS)(Buffer.from(file), random);
}

const MUTATIONS: readonly (readonly [(file: Buffer, random: Random) => Buffer, number])[] = [
  [(file, random) => file.subarray(0, Math.floor(random() * file.length)), 16],
  [(file, random) => flipBits(file, 0, Math.min(64, file.length), random), 12],
  [(file, random) => flipBits(file, 0, file.length, random), 16],
  [damagedIndex, 20],
  [hugeField, 12],
  [withoutMiddle, 8],
  [otherOrder, 6],
  [(file, random) => Buffer.concat([noise(Math.ceil(random() * 600), random), file]), 6],
  [(file) => Buffer.concat([file, file]), 3],
  [(_file, random) => noise(1 + Math.floor(random() * 20_000), random), 4],
  [(file, random) => file.fill(random() < 0.5 ? 0 : 0xff, Math.floor(random() * file.length)), 6],
  [() => Buffer.alloc(0), 1],
];

function noise(bytes: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
}

function flipBits(file: Buffer, from: number, to: number, random: Random): Buffer {
  if (to <= from) return file;
  for (let count = 1 + Math.floor(random() * 12); count > 0; count -= 1) {
    const at = from + Math.floor(random() * (to - from));
    file[at] = (file[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  return file;
}

/** Boxes of MP4 that say where and how large things are, and the names by which other containers begin theirs. */
const MARKS = [
  'moov',
  'trak',
  'mdhd',
  'tkhd',
  'stsd',
  'stsz',
  'stco',
  'stts',
  'mvhd',
  'avih',
  'strf',
  'idx1',
  'webm',
  'GIF8',
  'elst',
  'tfdt',
  'moof',
  'onMetaData',
  'Exif',
  // Tracks, a cluster and a length of Matroska.
  '\u0016\u0054\u00ae\u006b',
  '\u001f\u0043\u00b6\u0075',
  '\u0044\u0089',
];

/** Writes over the bytes that follow a mark, or over the size before it. */
function damagedIndex(file: Buffer, random: Random): Buffer {
  const found = MARKS.map((mark) => file.indexOf(mark, 0, 'latin1')).filter((at) => at > 0);
  const at = found[Math.floor(random() * found.length)] ?? Math.floor(random() * file.length);
  const from = random() < 0.3 ? Math.max(0, at - 4) : Math.min(file.length, at + 4 + Math.floor(random() * 24));
  noise(Math.min(4, file.length - from), random).copy(file, from);
  return file;
}

/** A length or count that no file has. */
function hugeField(file: Buffer, random: Random): Buffer {
  if (file.length < 8) return file;
  const at = Math.floor(random() * Math.min(file.length - 4, 4_000));
  file.writeUInt32BE(
    pick(random, [
      [0x7fffffff, 1],
      [0xffffffff, 1],
      [0x00ffffff, 1],
      [0, 1],
    ]),
    at,
  );
  return file;
}

function withoutMiddle(file: Buffer, random: Random): Buffer {
  const start = Math.floor(random() * file.length);
  const end = Math.min(file.length, start + Math.floor(random() * file.length * 0.3));
  return Buffer.concat([file.subarray(0, start), file.subarray(end)]);
}

/** Packets as a lossy network delivers them: some come later, some twice. */
function otherOrder(file: Buffer, random: Random): Buffer {
  const packets = Array.from({ length: Math.ceil(file.length / PACKET_BYTES) }, (_, i) =>
    file.subarray(i * PACKET_BYTES, (i + 1) * PACKET_BYTES),
  );
  for (let count = 1 + Math.floor(random() * 20); count > 0; count -= 1) {
    const from = Math.floor(random() * packets.length);
    const moved = packets.splice(from, random() < 0.3 ? 0 : 1 + Math.floor(random() * 4));
    packets.splice(
      Math.floor(random() * packets.length),
      0,
      ...(moved.length > 0 ? moved : packets.slice(from, from + 2)),
    );
  }
  return Buffer.concat(packets);
}
