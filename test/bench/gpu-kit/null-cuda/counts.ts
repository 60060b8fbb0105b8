import { existsSync, readFileSync } from 'node:fs';

const NAMES = [
  'plans',
  'launches',
  'products',
  'convolutions',
  'otherCalls',
  'toGpu',
  'toGpuBytes',
  'toGpuPageableBytes',
  'toHost',
  'toHostBytes',
  'toHostPageableBytes',
  'insideGpu',
  'insideGpuBytes',
  'waits',
  'deviceWaits',
  'allocations',
  'allocatedBytes',
  'frees',
  'fills',
  'pinned',
  'liveBytes',
  'heapBytes',
] as const;
const HELD: ReadonlySet<string> = new Set(['liveBytes', 'heapBytes']);

/**
 * What was asked of the stand-ins. Copies and their bytes by direction (pageable: from or to memory that a GPU cannot reach by
 * itself; inside: within the GPU), waits of a stream or event and of the whole device, execution plans that cuDNN made, and what its libraries were asked to compute
 * beside the kernels that are launched (other calls: neither a product nor a convolution). All numbers
 * are of the time between two readings, but those of what is held at the second: `liveBytes` of GPU memory and `heapBytes` of the
 * process's own (as it was at the last wait, where NULL_CUDA_HEAP is set).
 */
export type Counts = Readonly<Record<(typeof NAMES)[number], number>>;

/** The variable with the path of the file in which the stand-ins count. */
export const COUNTS_VARIABLE = 'NULL_CUDA_COUNTS';

/** A record of `counters.h`: a name that ends with zeros, and its number. */
const RECORD = { bytes: 32, numberAt: 24 } as const;

/** Reads the file, which is there from when the libraries are loaded; zeros before. Throws where other stand-ins wrote it. */
export function readCounts(path: string): Counts {
  if (!existsSync(path)) return counts(() => 0);
  const bytes = readFileSync(path);
  const found = new Map<string, number>();
  for (let at = 0; at + RECORD.bytes <= bytes.length; at += RECORD.bytes) {
    const name = bytes.toString('latin1', at, at + RECORD.numberAt).replace(/\0.*$/s, '');
    found.set(name, Number(bytes.readBigInt64LE(at + RECORD.numberAt)));
  }
  return counts((name) => {
    const number = found.get(name);
    if (number === undefined) throw new Error(`${path} does not count ${name}: it is not of these stand-ins`);
    return number;
  });
}

/** Whether a number is of what is held, and so no sum. */
export const isHeld = (name: string): boolean => HELD.has(name);

/** What was asked for between two readings. */
export function countsBetween(before: Counts, after: Counts): Counts {
  return counts((name) => (isHeld(name) ? after[name] : after[name] - before[name]));
}

/** Gives what is asked for from now on, whenever its result is called; null where nothing counts. */
export function counting(): (() => Counts) | null {
  const path = process.env[COUNTS_VARIABLE];
  if (path === undefined) return null;
  const before = readCounts(path);
  return () => countsBetween(before, readCounts(path));
}

function counts(number: (name: keyof Counts) => number): Counts {
  return Object.fromEntries(NAMES.map((name) => [name, number(name)])) as Counts;
}
