import { writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { strayVideoPid } from '../../../../src/video/probe/stray-video.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';

const { signal } = new AbortController();
const PICTURES = 256;

/** A packet of a transport stream: with a picture's time, as a further piece of one, or without any header. */
function packet(pid: number, kind: 'timed' | 'piece' | 'middle'): Buffer {
  const bytes = Buffer.alloc(188, 0xff);
  bytes.set([0x47, (kind === 'middle' ? 0 : 0x40) | (pid >> 8), pid & 0xff, 0x10]);
  if (kind !== 'middle') bytes.set([0, 0, 1, 0xe0, 0, 0, 0x80, kind === 'timed' ? 0x80 : 0, 5], 4);
  return bytes;
}

async function strayBehind(first: readonly Buffer[], rest: readonly Buffer[]): Promise<number | null> {
  await using folder = await temporaryFolder('stray-video');
  const file = folder.at('a.ts');
  const known = Buffer.concat(first);
  const filling = Array.from({ length: 8 }, () => packet(PICTURES, 'middle'));
  await writeFile(file, Buffer.concat([known, packet(PICTURES, 'timed'), ...filling, ...rest, ...filling]));
  return await strayVideoPid(file, [known.length], signal);
}

test('the further pieces of a large last picture are no stray video', async () => {
  expect(await strayBehind([], [packet(PICTURES, 'piece'), packet(PICTURES, 'piece')])).toBeNull();
});

test('the second field of the last picture is no stray video', async () => {
  expect(await strayBehind([], [packet(PICTURES, 'timed')])).toBeNull();
});

test('pictures under another number are stray', async () => {
  expect(await strayBehind([packet(512, 'timed')], [packet(PICTURES, 'piece'), packet(512, 'timed')])).toBe(512);
});

test('more pictures under the number that was known are stray', async () => {
  expect(await strayBehind([], [packet(PICTURES, 'timed'), packet(PICTURES, 'timed')])).toBe(PICTURES);
});
