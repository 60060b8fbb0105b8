import { cp, mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EXIT_CODES } from '../../../src/worker/exit-codes.ts';
import { bareEnvironment } from '../../harness/bare-environment.ts';
import { runProgram, type Ended } from '../../harness/run-program.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder('broken-install');
  await mkdir(folder.at('node_modules'));
  await cp('src', folder.at('src'), { recursive: true });
  await cp('package.json', folder.at('package.json'));
  for (const name of await readdir('node_modules')) {
    await symlink(resolve('node_modules', name), folder.at('node_modules', name));
  }
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

/** A command of an install that lacks one file or package meanwhile. */
async function runWithout(lost: string, entry: string, args: readonly string[]): Promise<Ended> {
  const [place, aside] = [folder.at(lost), folder.at('aside')];
  await rename(place, aside);
  try {
    const node = ['--disable-warning=ExperimentalWarning', folder.at('src/cli', `${entry}.ts`), ...args];
    const env = { ...bareEnvironment(), DEVICE: 'cpu', WORK_DIR: folder.at('work') };
    return await runProgram(process.execPath, node, { env, cwd: folder.path, timeoutMs: 60_000 });
  } finally {
    await rename(aside, place);
  }
}

test.each([
  ['start-worker', 'src/cli/open-queues.ts', []],
  ['video-worker', 'src/cli/preflight/render.ts', ['preflight']],
] as const)(
  '%s of an install that lacks a file names it, says what to do, and is not started again',
  async (...given) => {
    const [entry, file, args] = given;
    const { code, stderr } = await runWithout(file, entry, args);
    expect([code, stderr]).toEqual([EXIT_CODES.USAGE, expect.stringContaining('INSTALL_BROKEN')]);
    expect(stderr).toContain(`${file}'`);
    expect(stderr).toContain('run scripts/setup again');
    expect(stderr).toMatch(/\n {4}at /);
  },
);

test('the library of the pictures is looked for by the preflight, not by the first event of a video', async () => {
  const { code, stdout } = await runWithout('node_modules/sharp', 'video-worker', ['preflight', '--json']);
  expect(code).toBe(EXIT_CODES.PREFLIGHT);
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly { readonly name: string }[] };
  expect(checks.find(({ name }) => name === 'pictures')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining("Cannot find package 'sharp'"),
    fix: expect.stringContaining('scripts/setup'),
  });
});
