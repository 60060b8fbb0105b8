/** A box of an ISO media file; offsets are those of the buffer in which it lies. */
export interface Box {
  readonly type: string;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

/** Bytes between a container's head and the first box in it. */
const BEFORE_CHILDREN: Readonly<Record<string, number>> = { stsd: 8, meta: 4, avc1: 78, hvc1: 78, jpeg: 78, mp4v: 78 };

/** The boxes that lie side by side in a buffer. */
export function boxesOf(buffer: Buffer): Box[] {
  const found: Box[] = [];
  for (let start = 0; start + 8 <= buffer.length;) {
    const short = buffer.readUInt32BE(start);
    const head = short === 1 ? 16 : 8;
    const size = short === 1 ? Number(buffer.readBigUInt64BE(start + 8)) : short === 0 ? buffer.length - start : short;
    const end = Math.min(buffer.length, start + Math.max(size, head));
    found.push({ type: buffer.toString('latin1', start + 4, start + 8), start, bodyStart: start + head, end });
    start = end;
  }
  return found;
}

/** A box with its head. */
export function box(type: string, ...bodies: readonly Buffer[]): Buffer {
  const body = Buffer.concat(bodies);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

export const u16 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, at) => bytes.writeUInt16BE(value, at * 2));
  return bytes;
};

export const u32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32BE(value >>> 0, at * 4));
  return bytes;
};

/** Whole boxes in the place of one; none removes it. `nth` counts the boxes at this path, and `whole` is the box with its head. */
export type BoxEdit = (body: Buffer, nth: number, whole: Buffer) => Buffer;

/**
 * A file in which each box at a path (`moov/trak/tkhd`) is replaced; the boxes around it get their new sizes. Nothing else is moved, so
 * that a size may change only behind the media.
 */
export function replaced(file: Buffer, path: string, edit: BoxEdit): Buffer {
  const counted = { nth: 0 };
  return replacedIn(file, path.split('/'), (body, whole) => edit(body, counted.nth++, whole));
}

function replacedIn(buffer: Buffer, path: readonly string[], edit: (body: Buffer, whole: Buffer) => Buffer): Buffer {
  const [name, ...rest] = path;
  const parts = boxesOf(buffer).map(({ type, start, bodyStart, end }) => {
    const whole = buffer.subarray(start, end);
    if (type !== name) return whole;
    const body = buffer.subarray(bodyStart, end);
    if (rest.length === 0) return edit(body, whole);
    const before = BEFORE_CHILDREN[type] ?? 0;
    return box(type, body.subarray(0, before), replacedIn(body.subarray(before), rest, edit));
  });
  return Buffer.concat(parts);
}

/** A file in which the bodies at a path are changed in place. */
export function patched(file: Buffer, path: string, patch: (body: Buffer, nth: number) => void): Buffer {
  const type = path.slice(path.lastIndexOf('/') + 1);
  return replaced(file, path, (body, nth) => {
    const copy = Buffer.from(body);
    patch(copy, nth);
    return box(type, copy);
  });
}

/** What the display matrix of a track says: mirrored, left against right, and then turned clockwise. */
export function matrixOf(turn: number, isMirrored: boolean): Buffer {
  const [cos, sin] = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ][turn / 90] ?? [1, 0];
  const sign = isMirrored ? -1 : 1;
  const one = 0x10000;
  const [c = 1, s = 0] = [cos, sin];
  return u32(sign * c * one, sign * s * one, 0, -s * one, c * one, 0, 0, 0, 0x40000000);
}

/** A file whose tracks are displayed by this matrix. */
export function withMatrix(file: Buffer, matrix: Buffer): Buffer {
  return patched(file, 'moov/trak/tkhd', (body) => matrix.copy(body, body.readUInt8(0) === 1 ? 52 : 40));
}

/** Times of a track in its own units: how many samples last how long. */
export function withSampleTimes(file: Buffer, runs: readonly (readonly [samples: number, units: number])[]): Buffer {
  return replaced(file, 'moov/trak/mdia/minf/stbl/stts', () => box('stts', u32(0, runs.length, ...runs.flat())));
}

/** Duration of a file's movie, tracks and media, each in its own units; null leaves it as it is. */
export function withDurations(
  file: Buffer,
  { movie, track, media }: Readonly<Record<'movie' | 'track' | 'media', number | null>>,
): Buffer {
  let now = file;
  for (const [path, value, at] of [
    ['moov/mvhd', movie, 16],
    ['moov/trak/tkhd', track, 20],
    ['moov/trak/mdia/mdhd', media, 16],
  ] as const) {
    if (value !== null) now = patched(now, path, (body) => body.writeUInt32BE(value, at));
  }
  return now;
}

/** One edit: how long it lasts in units of the movie, and from where in units of the media; -1 shows nothing. */
export type Edit = readonly [movieUnits: number, mediaStart: number];

/** The nth track shows these parts of its media; null removes its list. */
export function withEdits(file: Buffer, edits: readonly Edit[] | null, track = 0): Buffer {
  const list = (edits ?? []).map(([length, start]) => u32(length, start, 0x10000));
  const bare = replaced(file, 'moov/trak', (body, nth) => {
    if (nth !== track) return box('trak', body);
    const kept = boxesOf(body).filter(({ type }) => type !== 'edts');
    const parts = kept.map(({ start, end }) => body.subarray(start, end));
    if (edits !== null) parts.splice(1, 0, box('edts', box('elst', u32(0, edits.length), ...list)));
    return box('trak', ...parts);
  });
  return bare;
}
