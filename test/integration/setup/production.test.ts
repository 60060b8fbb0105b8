import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

let install: string;

/** Builds only where the development packages are, as the real one does, and writes down what it was asked for. */
const NPM = `#!/bin/bash
set -eu
echo "$*" >>npm.log
case "$*" in
  "ci "*)
    rm -rf node_modules
    mkdir -p node_modules/.bin node_modules/compiler
    ln -s ${process.execPath} node_modules/.bin/node
    ;;
  "run generate") [ -d node_modules/compiler ] && mkdir -p src/generated ;;
  "run build") [ -d node_modules/compiler ] && mkdir -p dist ;;
  "prune --omit=dev "*) rm -r node_modules/compiler ;;
  *) exit 9 ;;
esac
`;
const FRESH = ['ci', 'generate', 'build', 'prune'];

beforeEach(async () => {
  install = await mkdtemp(join(tmpdir(), 'setup-'));
  for (const path of ['scripts/setup', 'scripts/setup-lib']) await cp(path, join(install, path), { recursive: true });
  for (const path of ['src', 'prisma', 'bin', 'scripts/kernel']) await mkdir(join(install, path));
  for (const path of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'src/main.ts']) {
    await writeFile(join(install, path), '{}');
  }
  // Set-up would ask the system's package manager for these where they are missing.
  const system = ['bwrap', 'ffmpeg', 'ffprobe', 'prlimit'];
  for (const name of system) await writeFile(join(install, 'bin', name), '#!/bin/sh\n');
  await writeFile(join(install, 'bin/npm'), NPM);
  for (const name of [...system, 'npm']) await chmod(join(install, 'bin', name), 0o755);
});

afterEach(async () => {
  await rm(install, { recursive: true });
});

/** What set-up asked of npm, in order, by the words that tell the calls apart. */
async function npmCallsOfSetup(...options: readonly string[]): Promise<readonly string[]> {
  await rm(join(install, 'npm.log'), { force: true });
  const env = { PATH: `${join(install, 'bin')}:/usr/bin:/bin`, NODE_ENV: 'production' };
  await new Promise<void>((resolve, reject) => {
    execFile(join(install, 'scripts/setup'), options, { env }, (error, _, err) => {
      if (error === null) resolve();
      else reject(new Error(err, { cause: error }));
    });
  });
  if (!existsSync(join(install, 'npm.log'))) return [];
  const lines = (await readFile(join(install, 'npm.log'), 'utf8')).trim().split('\n');
  return lines.map((line) => line.replace(/^run /, '').split(' ')[0] ?? '');
}

const canBuild = (): boolean => existsSync(join(install, 'node_modules/compiler'));

test('production removes what builds once it has built, and is then up to date', async () => {
  expect(await npmCallsOfSetup('--production')).toEqual(FRESH);
  expect(canBuild()).toBe(false);
  expect(await npmCallsOfSetup('--production')).toEqual([]);
});

test('production asks for the development packages whatever NODE_ENV says', async () => {
  await npmCallsOfSetup('--production');
  expect(await readFile(join(install, 'npm.log'), 'utf8')).toMatch(/^ci --include=dev --ignore-scripts /);
});

test('new source is built with the development packages, which then go again', async () => {
  await npmCallsOfSetup('--production');
  await appendFile(join(install, 'src/main.ts'), '// changed\n');
  expect(await npmCallsOfSetup('--production')).toEqual(FRESH);
  expect(canBuild()).toBe(false);
});

test('an install with everything becomes one for production without being made anew, and the other way is a new install', async () => {
  expect(await npmCallsOfSetup()).toEqual(['ci', 'generate', 'build']);
  expect(await npmCallsOfSetup('--production')).toEqual(['prune']);
  expect(await npmCallsOfSetup()).toEqual(['ci']);
  expect(canBuild()).toBe(true);
});

test('an install whose removal was interrupted is made anew', async () => {
  await writeFile(join(install, 'bin/npm'), NPM.replace('rm -r node_modules/compiler', 'exit 1'));
  await expect(npmCallsOfSetup('--production')).rejects.toThrow('npm could not remove the development packages');
  await writeFile(join(install, 'bin/npm'), NPM);
  expect(await npmCallsOfSetup('--production')).toEqual(['ci', 'prune']);
});

test('tests and production exclude each other, before anything is done', async () => {
  await expect(npmCallsOfSetup('--production', '--tests')).rejects.toThrow(
    '--tests and --production exclude each other',
  );
  expect(existsSync(join(install, 'npm.log'))).toBe(false);
});
