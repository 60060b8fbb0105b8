import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkDirSpace } from '../../../src/storage/work-dir-space.ts';
import { WorkFolder } from '../../../src/storage/work-folder.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

let folder: TemporaryFolder;
let work: WorkFolder;
beforeAll(async () => {
  folder = await temporaryFolder('space');
  work = new WorkFolder(folder.path);
});
afterAll(async () => {
  await work[Symbol.asyncDispose]();
  await folder.remove();
});

const at = (name: string): string => folder.at(name);
const space = (freeBytes: number, totalBytes = 100): WorkDirSpace =>
  new WorkDirSpace(work, async () => ({ freeBytes, totalBytes }));

test('two objects that fit one by one are not both begun: what the first has still to write counts', async () => {
  const room = space(10);
  const [first, second] = await Promise.allSettled([room.claim(at('a'), 6), room.claim(at('b'), 6)]);
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({
    reason: { code: 'WORK_DIR_SPACE', class: 'temporary', details: { promisedBytes: 6 } },
  });
});

test('what is on the disk is not counted twice, and what is over is not counted at all', async () => {
  const room = space(10);
  const first = await room.claim(at('written'), 6);
  await writeFile(at('written'), '12345');
  const second = await room.claim(at('c'), 9);
  await expect(room.claim(at('d'), 1)).rejects.toMatchObject({ code: 'WORK_DIR_SPACE' });
  first[Symbol.dispose]();
  second[Symbol.dispose]();
  await expect(room.claim(at('d'), 10)).resolves.toBeDefined();
});

test('an object that is larger than the whole file system is told so', async () => {
  await expect(space(90).claim(at('e'), 101)).rejects.toMatchObject({
    class: 'temporary',
    message: expect.stringContaining('can never fit'),
  });
});

test('the real file system is asked', async () => {
  const room = new WorkDirSpace(work);
  await expect(room.claim(at('f'), Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'WORK_DIR_SPACE' });
  await expect(room.claim(at('f'), 1)).resolves.toBeDefined();
  expect(await room.canWrite()).toBe(true);
});

test('a folder that cannot be measured or written is the fault of the host, not a lack of space', async () => {
  await writeFile(at('file'), '');
  const room = new WorkDirSpace(new WorkFolder(at('file/below')));
  await expect(room.canWrite()).rejects.toMatchObject({ code: 'HOST_FAULT' });
  await expect(room.claim(at('g'), 1)).rejects.toMatchObject({ code: 'HOST_FAULT' });
});
