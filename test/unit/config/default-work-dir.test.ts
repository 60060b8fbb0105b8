import { chmod, chown, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/config.ts';
import { canBeOther, OTHER_UID } from '../../harness/as-user.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder('default-work-dir');
  await mkdir(folder.at('home'));
});
afterAll(() => folder.remove());

const workDir = (env: Record<string, string>): string => loadConfig(env).worker.workDir;
const OWN = join(tmpdir(), `video-worker-${process.geteuid?.()}`);

test('what WORK_DIR says comes first', () => {
  expect(workDir({ WORK_DIR: '/data/jobs', CACHE_DIRECTORY: '/var/cache/x', HOME: folder.at('home') })).toBe(
    '/data/jobs',
  );
});

test('the folder that systemd made for the service comes next, the first of several', () => {
  const home = { HOME: folder.at('home') };
  const RUNTIME_DIRECTORY = '/run/video-worker';
  expect(workDir({ CACHE_DIRECTORY: '/var/cache/video-worker:/var/cache/other', RUNTIME_DIRECTORY, ...home })).toBe(
    '/var/cache/video-worker/jobs',
  );
  expect(workDir({ RUNTIME_DIRECTORY, ...home })).toBe('/run/video-worker/jobs');
  expect(workDir({ CACHE_DIRECTORY: '', RUNTIME_DIRECTORY: 'relative', ...home })).toBe(
    folder.at('home/.cache/video-worker/jobs'),
  );
});

test("then the user's own cache, there already or not", () => {
  expect(workDir({ HOME: folder.at('home') })).toBe(folder.at('home/.cache/video-worker/jobs'));
  expect(workDir({ HOME: folder.at('home'), XDG_CACHE_HOME: folder.at('cache') })).toBe(
    folder.at('cache/video-worker/jobs'),
  );
  expect(workDir({ HOME: folder.at('home'), XDG_CACHE_HOME: 'relative' })).toBe(
    folder.at('home/.cache/video-worker/jobs'),
  );
});

test('and without a home a name of the user alone, never one that all share', () => {
  for (const env of [{}, { HOME: '' }, { HOME: '/' }, { HOME: '/dev/null' }]) expect(workDir(env)).toBe(OWN);
  expect(OWN).not.toBe(join(tmpdir(), 'video-worker'));
});

(canBeOther ? test : test.skip)('a home of somebody else is not used, though root could', async () => {
  await mkdir(folder.at('his'));
  await chmod(folder.at('his'), 0o777);
  await chown(folder.at('his'), OTHER_UID, OTHER_UID);
  expect(workDir({ HOME: folder.at('his') })).toBe(OWN);
});
