/** One tag of an FLV file. */
export interface FlvTag {
  /** 8: sound, 9: video, 18: what the file says of itself. */
  readonly type: number;
  readonly milliseconds: number;
  readonly body: Buffer;
}

export const FLV_VIDEO = 9;
const HEAD_BYTES = 9;

/** The tags of a file. */
export function tagsOf(file: Buffer): FlvTag[] {
  const tags: FlvTag[] = [];
  for (let at = HEAD_BYTES + 4; at + 11 <= file.length;) {
    const size = file.readUIntBE(at + 1, 3);
    const milliseconds = file.readUIntBE(at + 4, 3) + (file.readUInt8(at + 7) << 24);
    tags.push({ type: file.readUInt8(at), milliseconds, body: file.subarray(at + 11, at + 11 + size) });
    at += 11 + size + 4;
  }
  return tags;
}

/** A file with the head of another and these tags. */
export function flvOf(file: Buffer, tags: readonly FlvTag[]): Buffer {
  const parts = [file.subarray(0, HEAD_BYTES), Buffer.alloc(4)];
  for (const { type, milliseconds, body } of tags) {
    const head = Buffer.alloc(11);
    head.writeUInt8(type);
    head.writeUIntBE(body.length, 1, 3);
    head.writeUIntBE(milliseconds & 0xffffff, 4, 3);
    head.writeUInt8((milliseconds >>> 24) & 0xff, 7);
    const back = Buffer.alloc(4);
    back.writeUInt32BE(body.length + 11);
    parts.push(head, body, back);
  }
  return Buffer.concat(parts);
}

/** True for a picture, false for the parameters of the codec and its end. */
export function isPicture({ type, body }: FlvTag): boolean {
  return type === FLV_VIDEO && body.readUInt8(1) === 1;
}

/** A file in which each picture has another time; the number counts pictures. */
export function retimedFlv(file: Buffer, retime: (milliseconds: number, number: number) => number): Buffer {
  let number = 0;
  const tags = tagsOf(file).map((tag) =>
    isPicture(tag) ? { ...tag, milliseconds: retime(tag.milliseconds, number++) } : tag,
  );
  return flvOf(file, tags);
}

/** A file whose head promises this many seconds. */
export function withFlvDuration(file: Buffer, seconds: number): Buffer {
  const copy = Buffer.from(file);
  const at = copy.indexOf('duration', 0, 'latin1');
  if (at < 0) throw new Error('the file promises no duration');
  copy.writeDoubleBE(seconds, at + 'duration'.length + 1);
  return copy;
}
