import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findSandbox } from '../../../src/video/tools/find-sandbox.ts';
import { startTool } from '../../../src/video/tools/start-tool.ts';
import { viewOf } from '../../../src/video/tools/sandbox-view.ts';
import { canOtherRun, runAsOther } from '../../harness/as-user.ts';
import { describeWithBubblewrap } from '../../harness/bubblewrap.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const run = promisify(execFile);
const VIEW = join(import.meta.dirname, '../../../src/video/tools/sandbox-view.ts');
const testOfOther = canOtherRun(VIEW) ? test : test.skip;
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

describeWithBubblewrap('what no tool may see', () => {
  /** In place of ffmpeg and ffprobe: beside its answer it tells whether it can read what lies at the path. */
  async function told(place: string, path: string, hidden: readonly string[]): Promise<string> {
    await mkdir(place, { recursive: true });
    const [ffmpeg, ffprobe] = [join(place, 'ffmpeg'), join(place, 'ffprobe')];
    for (const file of [ffmpeg, ffprobe]) {
      const script = `#!/bin/sh\necho "$(basename "$0") version 1.0 $(cat '${path}' 2>/dev/null || echo nothing)"\n`;
      await writeFile(file, script, { mode: 0o755 });
    }
    const tools = { ffmpeg, ffprobe, source: 'configured' } as const;
    const sandbox = await findSandbox(tools, { choice: 'require', hidden }, never);
    expect(sandbox.problem).toBeNull();
    const limits = { cpuSeconds: 10, memoryBytes: null };
    const child = await startTool({ ...tools, sandbox }, { tool: 'ffmpeg', args: ['-version'], file: null, limits });
    child.stderr.resume();
    const said = await text(child.stdout);
    await child.stop();
    return said.trim();
  }

  test('is not in the folder of a script, by whatever name it is hidden', async () => {
    const place = folder.at('with-jobs');
    await mkdir(join(place, 'jobs'), { recursive: true });
    await writeFile(join(place, 'jobs/secret'), 'seen');
    await symlink(join(place, 'jobs'), folder.at('jobs'));
    const path = join(place, 'jobs/secret');
    expect(await told(place, path, [])).toBe('ffmpeg version 1.0 seen');
    expect(await told(place, path, [folder.at('jobs')])).toBe('ffmpeg version 1.0 nothing');
    expect(await told(place, path, [folder.at('jobs/secret')])).toBe('ffmpeg version 1.0 nothing');
  });

  test('is covered in the system’s own folders', async () => {
    const path = '/usr/lib/os-release';
    expect(await told(folder.at('covering'), path, [])).not.toBe('ffmpeg version 1.0 nothing');
    expect(await told(folder.at('covering'), path, [path])).toMatch(/^ffmpeg version 1\.0(?: nothing)?$/);
    const place = '/usr/local/lib/video-worker';
    expect((await viewOf([], ['/usr/local/lib'])).join(' ')).toContain('--tmpfs /usr/local/lib');
    expect((await viewOf([], [place])).join(' ')).not.toContain(place);
  });

  testOfOther('is asked of a user without a home as well', async () => {
    // A script that every system with glibc has.
    const lines = `
      import { viewOf } from ${JSON.stringify(pathToFileURL(VIEW).href)};
      console.log((await viewOf(['/usr/bin/ldd'], [])).length > 0);`;
    expect(await runAsOther(lines)).toBe('true');
  });
});
