import { open } from 'node:fs/promises';

const SYNC = 0x47;
const PACKET_BYTES = 188;
/** A time code before a packet counts as its begin. */
const CLOCK_BYTES = 4;
/** Packets of transport streams: plain, with a time code before each, with a check sum behind each. */
const STRIDES = [188, 192, 204];
const SYNCS_IN_A_ROW = 5;
const BLOCK_BYTES = 1 << 20;
/** Enough to find a picture's begin in any footage. */
const MAX_BYTES = 64 * BLOCK_BYTES;
/** The last picture of a stream that is known may have begun as a field, of which the second one follows. */
const MAX_FIELDS = 2;

/**
 * The number (PID) of a stream of pictures in an MPEG transport stream that goes on behind the last pictures that are known, which begin at
 * these bytes, one for each stream; null where there is none. ffmpeg passes over packets whose number no table of the stream names, and
 * says nothing of it.
 */
export async function strayVideoPid(
  file: string,
  lastPictures: readonly number[],
  signal: AbortSignal,
): Promise<number | null> {
  const handle = await open(file);
  try {
    const read = async (at: number, bytes: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, at);
      return buffer.subarray(0, bytesRead);
    };
    const known = new Set<number>();
    let fromByte = 0;
    for (const at of lastPictures) {
      const packet = await read(at, CLOCK_BYTES + PACKET_BYTES);
      const mark = [0, CLOCK_BYTES].find((offset) => isPictureBegin(packet, offset));
      if (mark !== undefined) known.add(pidOf(packet, mark));
      fromByte = Math.max(fromByte, at + (mark ?? 0) + 1);
    }
    let rest: Buffer = Buffer.alloc(0);
    let [next, more] = [0, 0];
    for (let offset = 0; offset < MAX_BYTES; offset += BLOCK_BYTES) {
      signal.throwIfAborted();
      const bytes = await read(fromByte + offset, BLOCK_BYTES);
      if (bytes.length === 0) return null;
      const block = Buffer.concat([rest, bytes]);
      const begin = offset - rest.length;
      for (const { at, pid, isTimed } of pictureBegins(block)) {
        if (begin + at < next) continue;
        next = begin + at + 1;
        // A large picture goes on in pieces that have a header but no time.
        if (known.has(pid) && (!isTimed || ++more < MAX_FIELDS)) continue;
        return pid;
      }
      // A packet may lie across the border, and so may the row of marks by which packets are found.
      rest = block.subarray(Math.max(0, block.length - 204 * SYNCS_IN_A_ROW));
    }
    return null;
  } finally {
    await handle.close();
  }
}

interface PictureBegin {
  readonly at: number;
  readonly pid: number;
  readonly isTimed: boolean;
}

/** The packets in which a picture or a piece of one begins: ISO/IEC 13818-1, 2.4.3.2 and 2.4.3.6, stream identifiers 0xE0 to 0xEF. */
export function* pictureBegins(block: Buffer): Generator<PictureBegin> {
  for (let at = block.indexOf(SYNC); at >= 0; at = block.indexOf(SYNC, at + 1)) {
    const stride = strideAt(block, at);
    if (stride === null) continue;
    for (; block[at] === SYNC && at + PACKET_BYTES <= block.length; at += stride) {
      if (!isPictureBegin(block, at)) continue;
      const payload = payloadOf(block, at);
      yield { at, pid: pidOf(block, at), isTimed: (block.readUInt8(payload + 7) & 0x80) !== 0 };
    }
  }
}

function pidOf(block: Buffer, at: number): number {
  return block.readUInt16BE(at + 1) & 0x1fff;
}

function isPictureBegin(block: Buffer, at: number): boolean {
  if (block[at] !== SYNC || at + PACKET_BYTES > block.length) return false;
  const payload = payloadOf(block, at);
  const isBegin = (block.readUInt8(at + 1) & 0x40) !== 0;
  if (!isBegin || payload + 8 > at + PACKET_BYTES) return false;
  return block.readUIntBE(payload, 3) === 1 && (block.readUInt8(payload + 3) & 0xf0) === 0xe0;
}

/** Where the payload of a packet begins, behind its adaptation field; behind the packet where it has none. */
function payloadOf(block: Buffer, at: number): number {
  const control = block.readUInt8(at + 3) & 0x30;
  if (control === 0x10) return at + 4;
  return control === 0x30 ? at + 5 + block.readUInt8(at + 4) : at + PACKET_BYTES;
}

function strideAt(block: Buffer, at: number): number | null {
  const isRow = (stride: number): boolean =>
    Array.from({ length: SYNCS_IN_A_ROW }, (_, k) => block[at + k * stride]).every((byte) => byte === SYNC);
  return STRIDES.find(isRow) ?? null;
}
