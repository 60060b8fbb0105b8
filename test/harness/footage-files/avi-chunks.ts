/** What an AVI file consists of. */
interface Chunk {
  readonly id: string;
  readonly body: Buffer;
}

function chunksOf(buffer: Buffer): Chunk[] {
  const found: Chunk[] = [];
  for (let at = 0; at + 8 <= buffer.length;) {
    const size = buffer.readUInt32LE(at + 4);
    found.push({ id: buffer.toString('latin1', at, at + 4), body: buffer.subarray(at + 8, at + 8 + size) });
    at += 8 + size + (size % 2);
  }
  return found;
}

function chunk(id: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 0, 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

/** A frame in the place of another; null leaves it out. */
export type FrameEdit = (frame: Buffer, number: number) => Buffer | null;

/** A file with other frames of its first stream, and an index of them. */
export function withAviFrames(file: Buffer, edit: FrameEdit): Buffer {
  let number = 0;
  const index: Buffer[] = [];
  const parts = chunksOf(file.subarray(12)).map(({ id, body }) => {
    if (id === 'idx1') return chunk('idx1', Buffer.concat(index));
    if (id !== 'LIST' || body.toString('latin1', 0, 4) !== 'movi') return chunk(id, body);
    let at = 4;
    const frames = chunksOf(body.subarray(4)).map((one) => {
      const next = one.id.startsWith('00d') ? edit(one.body, number++) : one.body;
      if (next === null) return Buffer.alloc(0);
      const entry = Buffer.alloc(16);
      entry.write(one.id, 0, 'latin1');
      entry.writeUInt32LE(0x10, 4);
      entry.writeUInt32LE(at, 8);
      entry.writeUInt32LE(next.length, 12);
      index.push(entry);
      const whole = chunk(one.id, next);
      at += whole.length;
      return whole;
    });
    return chunk('LIST', Buffer.concat([body.subarray(0, 4), ...frames]));
  });
  return chunk('RIFF', Buffer.concat([Buffer.from('AVI ', 'latin1'), ...parts]));
}

/** A file as a recorder leaves it that never wrote its counts nor its index. */
export function withoutAviCounts(file: Buffer): Buffer {
  const index = file.lastIndexOf('idx1', file.length, 'latin1');
  const copy = Buffer.from(file.subarray(0, index < 0 ? file.length : index));
  copy.writeUInt32LE(0, 4);
  copy.writeUInt32LE(0, copy.indexOf('avih', 0, 'latin1') + 8 + 16);
  copy.writeUInt32LE(0, copy.indexOf('strh', 0, 'latin1') + 8 + 32);
  const movi = copy.indexOf('movi', 0, 'latin1');
  copy.writeUInt32LE(0, movi - 4);
  return copy;
}

/** A file whose head counts so many frames. */
export function withAviCount(file: Buffer, frames: number): Buffer {
  const copy = Buffer.from(file);
  copy.writeUInt32LE(frames, copy.indexOf('avih', 0, 'latin1') + 8 + 16);
  copy.writeUInt32LE(frames, copy.indexOf('strh', 0, 'latin1') + 8 + 32);
  return copy;
}
