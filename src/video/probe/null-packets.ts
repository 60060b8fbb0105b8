import { open } from 'node:fs/promises';

const PACKET_BYTES = 188;
/** The begin of a packet that only fills a transport stream up to a constant rate: ISO/IEC 13818-1, 2.4.3.3, PID 0x1FFF. */
const NULL_PACKET = Buffer.from([0x47, 0x1f, 0xff]);
const BLOCK_BYTES = 1 << 20;
/** More than tells padding from footage. */
const MAX_BLOCKS = 64;

/** How many of the bytes behind one of a transport stream are padding. Of a long rest the beginning stands for all of it. */
export async function nullPacketBytes(file: string, fromByte: number, signal: AbortSignal): Promise<number> {
  const handle = await open(file);
  try {
    const restBytes = Math.max(0, (await handle.stat()).size - fromByte);
    const block = Buffer.alloc(BLOCK_BYTES);
    let [read, padding] = [0, 0];
    for (let count = 0; count < MAX_BLOCKS; count++) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, fromByte + read);
      if (bytesRead === 0) break;
      read += bytesRead;
      padding += nullPacketsIn(block.subarray(0, bytesRead)) * PACKET_BYTES;
    }
    return read === 0 ? 0 : Math.min(restBytes, Math.round((padding / read) * restBytes));
  } finally {
    await handle.close();
  }
}

export function nullPacketsIn(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(NULL_PACKET); at >= 0; at = block.indexOf(NULL_PACKET, at + PACKET_BYTES)) count += 1;
  return count;
}
