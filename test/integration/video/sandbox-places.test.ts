import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findSandbox } from '../../../src/video/tools/find-sandbox.ts';
import { describeWithBubblewrap } from '../../harness/bubblewrap.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const SHARED = 'const char *version(void) { return "version 1.0-own"; }';
const MAIN = `
  #include <stdio.h>
  #include <string.h>
  const char *version(void);
  int main(int count, char **arguments) { return printf("%s %s\\n", strrchr(arguments[0], '/') + 1, version()) < 0; }`;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('sandbox-places');
  await compiled(folder.at('own-1'));
  await compiled(folder.at('own spaced'));
  await mkdir(folder.at('script-1'));
  for (const name of ['ffmpeg', 'ffprobe']) {
    const script = `#!/bin/sh\n. "$(dirname "$0")/parts"\n`;
    await writeFile(folder.at('script-1', name), script, { mode: 0o755 });
  }
  await writeFile(folder.at('script-1', 'parts'), 'echo "$(basename "$0") version 1.0-script"\n');
  await symlink('own-1', folder.at('own'));
  await symlink(folder.at('script-1'), folder.at('script'));
  await mkdir(folder.at('links'));
  for (const name of ['ffmpeg', 'ffprobe']) await symlink(`../own/bin/${name}`, folder.at('links', name));
});
afterAll(() => folder.remove());

/** Programs that find a library of their own by where they lie. */
async function compiled(place: string): Promise<void> {
  await mkdir(join(place, 'bin'), { recursive: true });
  await mkdir(join(place, 'lib'));
  await writeFile(join(place, 'own.c'), SHARED);
  await writeFile(join(place, 'main.c'), MAIN);
  await run('gcc', ['-shared', '-fPIC', '-o', join(place, 'lib/libown.so'), join(place, 'own.c')]);
  for (const name of ['ffmpeg', 'ffprobe']) {
    const found = [`-L${join(place, 'lib')}`, '-lown', '-Wl,-rpath,$ORIGIN/../lib'];
    await run('gcc', ['-o', join(place, 'bin', name), join(place, 'main.c'), ...found]);
  }
}

describeWithBubblewrap('tools of one’s own run in the sandbox', () => {
  test.each([
    ['with libraries beside them', 'own-1/bin'],
    ['by a folder that is a link', 'own/bin'],
    ['by links into such a folder', 'links'],
    ['below a name with a space', 'own spaced/bin'],
    ['as scripts with parts beside them', 'script-1'],
    ['as scripts in a folder that is a link', 'script'],
  ])('%s', async (_, place) => {
    const paths = { ffmpeg: folder.at(place, 'ffmpeg'), ffprobe: folder.at(place, 'ffprobe') };
    const tools = { ...paths, source: 'configured' } as const;
    const verdict = await findSandbox(tools, { choice: 'require', hidden: [] }, never);
    expect(verdict).toMatchObject({ problem: null, inForce: { hasProc: true } });
  });
});
