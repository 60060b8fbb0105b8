import { open } from 'node:fs/promises';

const SYNC = 0x47;
/** Packets of transport streams: plain, with a time code before each, with a check sum behind each. */
const STRIDES = [188, 192, 204];
const SYNCS_IN_A_ROW = 5;
const BLOCK_BYTES = 1 << 20;
/** Enough to find a picture's begin in any footage. */
const MAX_BYTES = 64 * BLOCK_BYTES;

/**
 * The number (PID) of a stream of pictures in an MPEG transport stream that goes on behind a byte of the file; null where there is none.
 * ffmpeg passes over packets whose number no table of the stream names, and says nothing of it.
 */
export async function strayVideoPid(file: string, fromByte: number, signal: AbortSignal): Promise<number | null> {
  const handle = await open(file);
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (let offset = 0; offset < MAX_BYTES; offset += BLOCK_BYTES) {
      signal.throwIfAborted();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, fromByte + offset);
      if (bytesRead === 0) return null;
      const block = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const found = pictureBegins(block);
      if (found !== null) return found;
      // A packet may lie across the border, and so may the row of marks by which packets are found.
      rest = block.subarray(Math.max(0, block.length - 204 * SYNCS_IN_A_ROW));
    }
    return null;
  } finally {
    await handle.close();
  }
}

/** The PID of the first packet in which a picture begins: ISO/IEC 13818-1, 2.4.3.2 and 2.4.3.6, stream identifiers 0xE0 to 0xEF. */
function pictureBegins(block: Buffer): number | null {
  for (let at = block.indexOf(SYNC); at >= 0; at = block.indexOf(SYNC, at + 1)) {
    const stride = strideAt(block, at);
    if (stride === null) continue;
    for (; block[at] === SYNC && at + 188 <= block.length; at += stride) {
      const payload = payloadOf(block, at);
      const isBegin = (block.readUInt8(at + 1) & 0x40) !== 0;
      if (!isBegin || payload + 4 > at + 188) continue;
      if (block.readUIntBE(payload, 3) === 1 && (block.readUInt8(payload + 3) & 0xf0) === 0xe0) {
        return block.readUInt16BE(at + 1) & 0x1fff;
      }
    }
  }
  return null;
}

/** Where the payload of a packet begins, behind its adaptation field; behind the packet where it has none. */
function payloadOf(block: Buffer, at: number): number {
  const control = block.readUInt8(at + 3) & 0x30;
  if (control === 0x10) return at + 4;
  return control === 0x30 ? at + 5 + block.readUInt8(at + 4) : at + 188;
}

function strideAt(block: Buffer, at: number): number | null {
  const isRow = (stride: number): boolean =>
    Array.from({ length: SYNCS_IN_A_ROW }, (_, k) => block[at + k * stride]).every((byte) => byte === SYNC);
  return STRIDES.find(isRow) ?? null;
}
