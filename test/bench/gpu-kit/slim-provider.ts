/** Bytes of GPU code by architecture: 90 stands for compute capability 9.0. */
export interface SlimReport {
  readonly kept: number;
  readonly dropped: ReadonlyMap<number, number>;
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

const SECTION = '.nv_fatbin';
/** A container: u32 magic, u16 version, u16 bytes of this header, u64 bytes of the entries that follow. */
const CONTAINER = { magic: 0xba55ed50, headerBytes: 16, alignment: 8 } as const;
/** An entry: u16 kind, u16 version, u32 bytes of this header, u64 bytes of code, ..., u32 architecture at byte 28. */
const ENTRY = { headerBytes: 32, architectureAt: 28 } as const;

/**
 * Keeps the GPU code of one architecture in ONNX Runtime's CUDA provider, whose bytes are given and changed in place. The
 * library holds the same kernels for several generations of GPUs, which is most of its size. They lie in containers, each with an
 * entry per architecture. The wanted entry moves to the front of its container, the container ends after it, and what is left
 * over becomes zeros, which pack to nothing: the same containers, at the same places, as those of a build for that
 * architecture alone. A container without it stays as it is. Throws for bytes of another form and when nothing would be kept.
 */
export function slimProvider(library: Buffer, architecture: number): SlimReport {
  const section = elfSection(library, SECTION);
  const dropped = new Map<number, number>();
  const seen = new Set<number>();
  let kept = 0;
  for (let at = section.start; at + CONTAINER.headerBytes <= section.end;) {
    if (library.readUInt32LE(at) !== CONTAINER.magic) {
      at += CONTAINER.alignment;
      continue;
    }
    const start = at + library.readUInt16LE(at + 6);
    const end = start + u64(library, at + 8);
    if (end > section.end) throw new Error(`a container ends outside of ${SECTION}: the format is not the known one`);
    const entries = readEntries(library, { start, end });
    for (const entry of entries) seen.add(entry.architecture);
    if (entries.some((entry) => entry.architecture === architecture)) {
      let front = start;
      for (const entry of entries) {
        if (entry.architecture === architecture) {
          library.copyWithin(front, entry.start, entry.end);
          front += entry.end - entry.start;
          kept += entry.codeBytes;
        } else {
          dropped.set(entry.architecture, (dropped.get(entry.architecture) ?? 0) + entry.codeBytes);
        }
      }
      library.fill(0, front, end);
      library.writeBigUInt64LE(BigInt(front - start), at + 8);
    }
    at = section.start + Math.ceil((end - section.start) / CONTAINER.alignment) * CONTAINER.alignment;
  }
  if (kept > 0) return { kept, dropped };
  const found = [...seen].toSorted((a, b) => a - b).join(', ');
  throw new Error(
    `the library holds no code for architecture ${architecture}; found: ${found === '' ? 'none' : found}`,
  );
}

interface Entry extends Stretch {
  readonly architecture: number;
  readonly codeBytes: number;
}

function readEntries(library: Buffer, container: Stretch): readonly Entry[] {
  const entries: Entry[] = [];
  for (let start = container.start; start < container.end;) {
    const entry = start + ENTRY.headerBytes > container.end ? null : readEntry(library, start);
    if (entry === null || entry.end > container.end) {
      throw new Error('the entries of a container do not fit into it: the format is not the known one');
    }
    entries.push(entry);
    start = entry.end;
  }
  return entries;
}

function readEntry(library: Buffer, start: number): Entry | null {
  const headerBytes = library.readUInt32LE(start + 4);
  if (headerBytes < ENTRY.headerBytes) return null;
  const codeBytes = u64(library, start + 8);
  const architecture = library.readUInt32LE(start + ENTRY.architectureAt);
  return { start, end: start + headerBytes + codeBytes, architecture, codeBytes };
}

/** The place of a section of a 64-bit little-endian ELF file. */
function elfSection(file: Buffer, wanted: string): Stretch {
  // Magic, then class 2 (64 bits) and byte order 1 (little-endian).
  if (file.subarray(0, 6).toString('latin1') !== '\u007fELF\u0002\u0001') throw new Error('this is no 64-bit ELF file');
  const [table, width] = [u64(file, 40), file.readUInt16LE(58)];
  const [count, names] = [file.readUInt16LE(60), file.readUInt16LE(62)];
  const strings = u64(file, table + names * width + 24);
  for (let index = 0; index < count; index++) {
    const header = table + index * width;
    const name = strings + file.readUInt32LE(header);
    if (file.subarray(name, file.indexOf(0, name)).toString('latin1') !== wanted) continue;
    const start = u64(file, header + 24);
    return { start, end: start + u64(file, header + 32) };
  }
  throw new Error(`there is no section ${wanted}: this library holds no GPU code`);
}

const u64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));
