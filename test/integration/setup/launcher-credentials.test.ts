import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../harness/run-program.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder('credentials');
});
afterEach(() => folder.remove());

/** What the worker would find in its environment. */
async function started(env: Readonly<Record<string, string>>): Promise<Record<string, string | undefined>> {
  const tell = 'console.log(JSON.stringify(process.env));process.exit(0)';
  const { code, stdout, stderr } = await runProgram('scripts/start-worker', [], {
    env: { PATH: process.env['PATH'], NODE_OPTIONS: `--import=data:text/javascript,${tell}`, ...env },
    timeoutMs: 30_000,
  });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, string | undefined>;
}

async function credential(name: string): Promise<string> {
  await mkdir(folder.at('c'), { recursive: true });
  await writeFile(folder.at('c', name), 'secret\n');
  return resolve(folder.at('c', name));
}

test('a credential of systemd is named by the setting for files, and its content is nowhere', async () => {
  const [url, token] = [await credential('video-worker.database-url'), await credential('video-worker.health-token')];
  const env = await started({ CREDENTIALS_DIRECTORY: folder.at('c') });
  expect(env).toMatchObject({ DATABASE_URL_FILE: url, HEALTH_TOKEN_FILE: token });
  expect(JSON.stringify(env)).not.toContain('secret');
});

test('one that is not there names nothing, and a setting that names a file already stays', async () => {
  await credential('video-worker.database-url');
  const env = await started({ CREDENTIALS_DIRECTORY: folder.at('c'), DATABASE_URL_FILE: '/elsewhere' });
  expect([env['DATABASE_URL_FILE'], env['HEALTH_TOKEN_FILE']]).toEqual(['/elsewhere', undefined]);
  expect(Object.keys(await started({}))).not.toContain('DATABASE_URL_FILE');
});
