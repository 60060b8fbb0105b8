import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bareEnvironment } from '../../harness/bare-environment.ts';
import { runProgram, type Ended } from '../../harness/run-program.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder('broken-install');
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

/** A command of an install that lacks one file. */
async function runWithout(file: string, entry: string, args: readonly string[]): Promise<Ended> {
  const root = folder.at(entry);
  await mkdir(root);
  await cp('src', join(root, 'src'), { recursive: true });
  await cp('package.json', join(root, 'package.json'));
  await symlink(resolve('node_modules'), join(root, 'node_modules'));
  await rm(join(root, file));
  const node = ['--disable-warning=ExperimentalWarning', join(root, 'src/cli', `${entry}.ts`), ...args];
  return await runProgram(process.execPath, node, { env: bareEnvironment(), cwd: root, timeoutMs: 60_000 });
}

test.each([
  ['start-worker', 'src/cli/open-queues.ts', []],
  ['video-worker', 'src/cli/preflight/render.ts', ['preflight']],
] as const)(
  '%s of an install that lacks a file names it, says what to do, and is not started again',
  async (...given) => {
    const [entry, file, args] = given;
    const { code, stderr } = await runWithout(file, entry, args);
    expect([code, stderr]).toEqual([1, expect.stringContaining('INSTALL_BROKEN')]);
    expect(stderr).toContain(`${file}'`);
    expect(stderr).toContain('run scripts/setup again');
    expect(stderr).toMatch(/\n {4}at /);
  },
);
