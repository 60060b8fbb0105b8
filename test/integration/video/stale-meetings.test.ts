import { once } from 'node:events';
import { chown, mkdir, readdir, rename, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MEETING_FOLDER, MEETING_SOCKET } from '../../../src/video/tools/socket-pair.ts';
import { removeStaleMeetings } from '../../../src/video/tools/stale-meetings.ts';
import { canBeOther, OTHER_UID } from '../../harness/as-user.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const OLD = new Date(Date.now() - 2 * 3_600_000);
let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder('meetings');
});
afterEach(() => folder.remove());

async function make(name: string, fill: (path: string) => Promise<unknown> = async () => {}, time = OLD) {
  await mkdir(folder.at(name));
  await fill(folder.at(name));
  await utimes(folder.at(name), time, time);
}

async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}/other`);
  await once(server, 'listening');
  // Under this name it stays, as behind a process that was killed.
  await rename(`${path}/other`, path + MEETING_SOCKET);
  server.close();
  await once(server, 'close');
}

test('old folders of meetings are removed, with a socket in them or none', async () => {
  await make(`${MEETING_FOLDER}aB3456`);
  await make(`${MEETING_FOLDER}aB3457`, leaveSocket);
  expect(await removeStaleMeetings(folder.path)).toBe(2);
  expect(await readdir(folder.path)).toEqual([]);
});

test('what is young, has another name or something else in it stays', async () => {
  await make(`${MEETING_FOLDER}aB3456`, undefined, new Date());
  await make(`${MEETING_FOLDER}longer7`);
  await make('frames-aB3456');
  await make(`${MEETING_FOLDER}aB3458`, (path) => writeFile(`${path}/notes`, ''));
  await make(`${MEETING_FOLDER}aB3460`, (path) => writeFile(path + MEETING_SOCKET, ''));
  await make(`${MEETING_FOLDER}aB3461`, async (path) => {
    await leaveSocket(path);
    await writeFile(`${path}/t`, '');
  });
  await writeFile(folder.at(`${MEETING_FOLDER}aB3459`), '');
  await utimes(folder.at(`${MEETING_FOLDER}aB3459`), OLD, OLD);
  expect(await removeStaleMeetings(folder.path)).toBe(0);
  expect((await readdir(folder.path)).length).toBe(7);
  expect(await readdir(folder.at(`${MEETING_FOLDER}aB3460`))).toEqual(['s']);
  expect((await readdir(folder.at(`${MEETING_FOLDER}aB3461`))).sort()).toEqual(['s', 't']);
});

(canBeOther ? test : test.skip)('what belongs to another user stays, though root could remove it', async () => {
  await make(`${MEETING_FOLDER}aB3456`, async (path) => {
    await leaveSocket(path);
    await chown(path, OTHER_UID, OTHER_UID);
  });
  expect(await removeStaleMeetings(folder.path)).toBe(0);
  expect(await readdir(folder.at(`${MEETING_FOLDER}aB3456`))).toEqual(['s']);
});

test('a folder that is not there has none', async () => {
  expect(await removeStaleMeetings(folder.at('nowhere'))).toBe(0);
});
