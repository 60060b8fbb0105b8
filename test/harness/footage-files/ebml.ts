/** An element of a Matroska file. */
export interface Element {
  readonly id: number;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

export const EBML = {
  head: 0x1a45dfa3,
  segment: 0x18538067,
  info: 0x1549a966,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  isDefault: 0x88,
  defaultDuration: 0x23e383,
  video: 0xe0,
  displayWidth: 0x54b0,
  displayHeight: 0x54ba,
  displayUnit: 0x54b2,
  cluster: 0x1f43b675,
  time: 0xe7,
  simpleBlock: 0xa3,
  group: 0xa0,
  block: 0xa1,
  cues: 0x1c53bb6b,
  seekHead: 0x114d9b74,
  tags: 0x1254c367,
} as const;

function lengthOf(first: number): number {
  return Math.clz32(first) - 23;
}

/** The elements that lie side by side in a buffer. */
export function elementsOf(buffer: Buffer): Element[] {
  const found: Element[] = [];
  for (let start = 0; start < buffer.length;) {
    const idBytes = lengthOf(buffer.readUInt8(start));
    const id = buffer.readUIntBE(start, idBytes);
    const at = start + idBytes;
    const sizeBytes = lengthOf(buffer.readUInt8(at));
    const size = Number(BigInt.asUintN(7 * sizeBytes, bigEndian(buffer.subarray(at, at + sizeBytes))));
    const isUnknown = size === 2 ** (7 * sizeBytes) - 1 || size > buffer.length;
    const bodyStart = at + sizeBytes;
    const end = isUnknown ? buffer.length : Math.min(buffer.length, bodyStart + size);
    found.push({ id, start, bodyStart, end });
    start = end;
  }
  return found;
}

function bigEndian(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
}

export const idBytes = (id: number): Buffer => {
  const text = id.toString(16);
  return Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex');
};

/** An element with its head; sizes take eight bytes. */
export function element(id: number, ...bodies: readonly Buffer[]): Buffer {
  const body = Buffer.concat(bodies);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE((2n ** 56n) | BigInt(body.length));
  return Buffer.concat([idBytes(id), size, body]);
}

/** An element whose size nobody knew when it was begun. */
export function endlessElement(id: number, ...bodies: readonly Buffer[]): Buffer {
  return Buffer.concat([idBytes(id), Buffer.from('01ffffffffffffff', 'hex'), ...bodies]);
}

export function uint(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function float(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

const CHILDREN = new Set<number>([EBML.segment, EBML.info, EBML.tracks, EBML.track, EBML.video, EBML.group]);

/** Whole elements in the place of one; none removes it. */
export type ElementEdit = (body: Buffer, nth: number, whole: Buffer) => Buffer;

/** A file in which each element of a kind is replaced, wherever it lies; sizes follow. */
export function replacedElements(file: Buffer, id: number, edit: ElementEdit): Buffer {
  let nth = 0;
  const inside = (buffer: Buffer): Buffer =>
    Buffer.concat(
      elementsOf(buffer).map((found) => {
        const whole = buffer.subarray(found.start, found.end);
        const body = buffer.subarray(found.bodyStart, found.end);
        if (found.id === id) return edit(body, nth++, whole);
        return CHILDREN.has(found.id) ? element(found.id, inside(body)) : whole;
      }),
    );
  return inside(file);
}

/** One block: whose it is, when, and what. */
export interface Block {
  readonly track: number;
  readonly milliseconds: number;
  readonly isKey: boolean;
  readonly payload: Buffer;
}

/** The blocks of a file, in order. */
export function blocksOf(file: Buffer): Block[] {
  const blocks: Block[] = [];
  const segment = elementsOf(file).find(({ id }) => id === EBML.segment);
  if (segment === undefined) return [];
  const inSegment = file.subarray(segment.bodyStart, segment.end);
  for (const cluster of elementsOf(inSegment).filter(({ id }) => id === EBML.cluster)) {
    const inCluster = inSegment.subarray(cluster.bodyStart, cluster.end);
    let base = 0;
    for (const { id, bodyStart, end } of elementsOf(inCluster)) {
      const body = inCluster.subarray(bodyStart, end);
      if (id === EBML.time) base = Number(bigEndian(body));
      if (id === EBML.simpleBlock) blocks.push(blockOf(body, base, (body.readUInt8(3) & 0x80) !== 0));
      if (id !== EBML.group) continue;
      const inner = elementsOf(body).find((one) => one.id === EBML.block);
      if (inner !== undefined) blocks.push(blockOf(body.subarray(inner.bodyStart, inner.end), base, false));
    }
  }
  return blocks;
}

function blockOf(body: Buffer, base: number, isKey: boolean): Block {
  return {
    track: body.readUInt8(0) & 0x7f,
    milliseconds: base + body.readInt16BE(1),
    isKey,
    payload: body.subarray(4),
  };
}

export interface MatroskaSettings {
  /** What its head promises; none when absent. */
  readonly promisedMilliseconds?: number;
  /** Keeps what was written of the tracks at the end of the recording. */
  readonly hasTags?: boolean;
  /** Elements of the tracks' head that are added to the first track's picture. */
  readonly video?: readonly Buffer[];
}

/** A file with the tracks of another, and these blocks, each in a cluster of its own; without an index. */
export function matroskaOf(file: Buffer, blocks: readonly Block[], settings: MatroskaSettings = {}): Buffer {
  const { promisedMilliseconds, hasTags = false, video = [] } = settings;
  const [head, segment] = elementsOf(file);
  if (head === undefined || segment === undefined) throw new Error('not a Matroska file');
  const inSegment = file.subarray(segment.bodyStart, segment.end);
  const kept = elementsOf(inSegment).filter(
    ({ id }) => id === EBML.info || id === EBML.tracks || (hasTags && id === EBML.tags),
  );
  let top: Buffer = Buffer.concat(kept.map(({ start, end }) => inSegment.subarray(start, end)));
  top = replacedElements(top, EBML.duration, () => Buffer.alloc(0));
  if (promisedMilliseconds !== undefined) {
    const duration = element(EBML.duration, float(promisedMilliseconds));
    top = replacedElements(top, EBML.info, (body) => element(EBML.info, body, duration));
  }
  if (video.length > 0) top = replacedElements(top, EBML.video, (body) => element(EBML.video, body, ...video));
  const clusters = blocks.map(({ track, milliseconds, isKey, payload }) =>
    element(
      EBML.cluster,
      element(EBML.time, uint(milliseconds)),
      element(EBML.simpleBlock, Buffer.from([0x80 | track, 0, 0, isKey ? 0x80 : 0]), payload),
    ),
  );
  return Buffer.concat([file.subarray(head.start, head.end), element(EBML.segment, top, ...clusters)]);
}

/** A file in which each block has another time, in milliseconds; the number counts blocks of the first track. */
export function retimedMatroska(
  file: Buffer,
  retime: (milliseconds: number, number: number) => number,
  settings: MatroskaSettings = {},
): Buffer {
  let number = 0;
  const blocks = blocksOf(file).map((block) =>
    block.track === 1 ? { ...block, milliseconds: retime(block.milliseconds, number++) } : block,
  );
  return matroskaOf(file, blocks, settings);
}
