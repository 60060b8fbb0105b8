import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Counts, countsBetween, isHeld, readCounts } from '../../bench/gpu-kit/null-cuda/counts.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'counts-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** The names of the records, in the order in which the C code writes them. */
async function names(): Promise<readonly string[]> {
  const header = await readFile('test/bench/gpu-kit/null-cuda/counters.h', 'utf8');
  return [...header.matchAll(/X\((\w+)\)/g)].map(([, name = '']) => name).filter((name) => name !== 'name');
}

async function written(records: readonly (readonly [string, number])[]): Promise<string> {
  const path = join(folder, `counts-${records.length}`);
  const bytes = Buffer.alloc(records.length * 32);
  for (const [i, [name, value]] of records.entries()) {
    bytes.write(name, i * 32, 'latin1');
    bytes.writeBigInt64LE(BigInt(value), i * 32 + 24);
  }
  await writeFile(path, bytes);
  return path;
}

test('every number of the header is read by its name', async () => {
  const all = await names();
  const counts = readCounts(await written(all.map((name, i) => [name, i + 1])));
  expect(counts).toEqual(Object.fromEntries(all.map((name, i) => [name, i + 1])));
});

test('before a library is loaded nothing is counted', () => {
  const counts = readCounts(join(folder, 'absent'));
  expect(new Set(Object.values(counts))).toEqual(new Set([0]));
});

test('a file of other stand-ins is refused by the name that it lacks', async () => {
  const path = await written([['launches', 3]]);
  expect(() => readCounts(path)).toThrow(`${path} does not count plans`);
});

test('between two readings what is asked for is a difference and what is held is the second', async () => {
  const all = await names();
  const constant = (value: number): Counts => Object.fromEntries(all.map((name) => [name, value])) as Counts;
  const between = countsBetween(constant(5), constant(7));
  expect(between.launches).toBe(2);
  expect(between.liveBytes).toBe(7);
  expect(all.filter(isHeld)).toEqual(['liveBytes', 'heapBytes']);
});
