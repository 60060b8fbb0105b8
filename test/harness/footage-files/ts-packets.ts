/** Length of a packet of MPEG-TS. */
export const TS_PACKET = 188;

/** Ticks of the clock of MPEG-TS in a second. */
export const TS_TICKS = 90_000;

const WRAP = 2 ** 33;

/** The packets of a file, each a copy of its own. */
export function packetsOf(file: Buffer): Buffer[] {
  const count = Math.floor(file.length / TS_PACKET);
  return Array.from({ length: count }, (_, i) => Buffer.from(file.subarray(i * TS_PACKET, (i + 1) * TS_PACKET)));
}

export const pidOf = (packet: Buffer): number => packet.readUInt16BE(1) & 0x1fff;

export const isStart = (packet: Buffer): boolean => (packet.readUInt8(1) & 0x40) !== 0;

function payloadStart(packet: Buffer): number {
  return (packet.readUInt8(3) & 0x20) === 0 ? 4 : 5 + packet.readUInt8(4);
}

/** Where a packet's PES header is; null where none begins. */
function pesStart(packet: Buffer): number | null {
  const at = payloadStart(packet);
  return isStart(packet) && at + 14 <= TS_PACKET && packet.readUIntBE(at, 3) === 1 ? at : null;
}

function readTime(bytes: Buffer, at: number): number {
  return (
    ((bytes.readUInt8(at) >> 1) & 7) * 2 ** 30 +
    ((bytes.readUInt16BE(at + 1) >> 1) << 15) +
    (bytes.readUInt16BE(at + 3) >> 1)
  );
}

function writeTime(bytes: Buffer, at: number, ticks: number): void {
  const time = ((Math.round(ticks) % WRAP) + WRAP) % WRAP;
  bytes.writeUInt8((bytes.readUInt8(at) & 0xf0) | (Math.floor(time / 2 ** 30) << 1) | 1, at);
  bytes.writeUInt16BE(((Math.floor(time / 2 ** 15) & 0x7fff) << 1) | 1, at + 1);
  bytes.writeUInt16BE(((time & 0x7fff) << 1) | 1, at + 3);
}

/** A time in ticks of frame `number` instead of its own; null takes it away. */
export type Retime = (ticks: number, number: number) => number | null;

/** Gives each frame of a PID another time; the program's clock goes with it. */
export function retimedTs(file: Buffer, pid: number, retime: Retime): Buffer {
  let number = -1;
  let shift = 0;
  const packets = packetsOf(file);
  for (const packet of packets) {
    if (pidOf(packet) !== pid) continue;
    const pes = pesStart(packet);
    if (pes !== null) {
      number += 1;
      shift = retimePes(packet, pes, number, retime) ?? shift;
    }
    shiftProgramClock(packet, shift);
  }
  return Buffer.concat(packets);
}

function retimePes(packet: Buffer, pes: number, number: number, retime: Retime): number | null {
  const flags = packet.readUInt8(pes + 7) >> 6;
  if (flags === 0) return null;
  const own = readTime(packet, pes + 9);
  const ticks = retime(own, number);
  if (ticks === null) {
    packet.writeUInt8(packet.readUInt8(pes + 7) & 0x3f, pes + 7);
    packet.fill(0xff, pes + 9, pes + 9 + packet.readUInt8(pes + 8));
    return null;
  }
  writeTime(packet, pes + 9, ticks);
  if (flags === 3) writeTime(packet, pes + 14, readTime(packet, pes + 14) + ticks - own);
  return ticks - own;
}

function shiftProgramClock(packet: Buffer, shift: number): void {
  const hasField = (packet.readUInt8(3) & 0x20) !== 0 && packet.readUInt8(4) > 6 && (packet.readUInt8(5) & 0x10) !== 0;
  if (!hasField) return;
  const base = packet.readUInt32BE(6) * 2 + (packet.readUInt8(10) >> 7);
  const moved = ((Math.round(base + shift) % WRAP) + WRAP) % WRAP;
  packet.writeUInt32BE(Math.floor(moved / 2), 6);
  packet.writeUInt8((packet.readUInt8(10) & 0x7f) | ((moved % 2) << 7), 10);
}

/** Packets whose continuity counters go on from packet to packet. */
export function continued(file: Buffer): Buffer {
  const next = new Map<number, number>();
  const packets = packetsOf(file);
  for (const packet of packets) {
    const pid = pidOf(packet);
    const hasPayload = (packet.readUInt8(3) & 0x10) !== 0;
    const counter = hasPayload ? (next.get(pid) ?? 0) : ((next.get(pid) ?? 0) + 15) % 16;
    packet.writeUInt8((packet.readUInt8(3) & 0xf0) | counter, 3);
    if (hasPayload) next.set(pid, (counter + 1) % 16);
  }
  return Buffer.concat(packets);
}

/** The file from the packet on in which frame `number` of a PID begins; tables that come before stay. */
export function cutTsHead(file: Buffer, pid: number, number: number): Buffer {
  let begun = -1;
  const kept = packetsOf(file).filter((packet) => {
    if (pidOf(packet) !== pid) return true;
    if (pesStart(packet) !== null) begun += 1;
    return begun >= number;
  });
  return continued(Buffer.concat(kept));
}

/** Where the packet lies, in bytes, in which frame `number` of a PID begins. */
export function tsOffset(file: Buffer, pid: number, number: number): number {
  let begun = -1;
  const index = packetsOf(file).findIndex((packet) => {
    if (pidOf(packet) === pid && pesStart(packet) !== null) begun += 1;
    return begun === number;
  });
  return index < 0 ? file.length : index * TS_PACKET;
}

/** A file whose packets of one PID have another; its table of the program says so only if `isTold`. */
export function renumbered(file: Buffer, from: number, to: number, isTold: boolean): Buffer {
  const packets = packetsOf(file);
  for (const packet of packets) {
    const pid = pidOf(packet);
    if (pid === from) packet.writeUInt16BE((packet.readUInt16BE(1) & 0xe000) | to, 1);
    else if (isTold && isStart(packet) && packet.readUInt8(payloadStart(packet) + 1) === 2) retable(packet, from, to);
  }
  return Buffer.concat(packets);
}

function retable(packet: Buffer, from: number, to: number): void {
  const section = payloadStart(packet) + 1;
  const end = section + 3 + (packet.readUInt16BE(section + 1) & 0xfff);
  const version = (packet.readUInt8(section + 5) >> 1) & 0x1f;
  packet.writeUInt8((packet.readUInt8(section + 5) & 0xc1) | (((version + 1) & 0x1f) << 1), section + 5);
  for (let at = section + 8; at + 2 <= end - 4; at += 1) {
    if ((packet.readUInt16BE(at) & 0x1fff) === from) packet.writeUInt16BE((packet.readUInt16BE(at) & 0xe000) | to, at);
  }
  packet.writeUInt32BE(checksum(packet.subarray(section, end - 4)), end - 4);
}

/** The CRC of MPEG's tables. */
function checksum(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc ^ (byte << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit += 1) {
      const shifted = (crc << 1) >>> 0;
      crc = crc < 0x80000000 ? shifted : (shifted ^ 0x04c11db7) >>> 0;
    }
  }
  return crc;
}
