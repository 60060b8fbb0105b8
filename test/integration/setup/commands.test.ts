import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
let install: string;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** An install directory whose daemon only shows how it was started. */
beforeEach(async () => {
  install = await mkdtemp(join(tmpdir(), 'install-'));
  for (const name of ['start-worker', 'video-worker', 'setup-lib']) {
    await cp(join(ROOT, 'scripts', name), join(install, 'scripts', name), { recursive: true });
  }
  await mkdir(join(install, 'dist/cli'), { recursive: true });
  await mkdir(join(install, 'node_modules/.bin'), { recursive: true });
  await symlink(process.execPath, join(install, 'node_modules/.bin/node'));
  await writeFile(join(install, 'package.json'), '{"type":"module"}');
  const program = `const { LOG_LEVEL, LD_LIBRARY_PATH, MALLOC_ARENA_MAX } = process.env;
console.log(JSON.stringify({ arguments: process.argv.slice(2), level: LOG_LEVEL, libraries: LD_LIBRARY_PATH, arenas: MALLOC_ARENA_MAX, pid: process.pid }));`;
  await writeFile(join(install, 'dist/cli/start-worker.js'), program);
  await writeFile(join(install, 'dist/cli/video-worker.js'), program);
});

afterEach(async () => {
  await rm(install, { recursive: true });
});

async function runCommand(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return await new Promise((resolve) => {
    const options = { cwd: install, env: { PATH: '/usr/bin:/bin', ...env } };
    execFile(command, args, options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

const run = (name: string, args: readonly string[], env?: Record<string, string>): Promise<Ended> =>
  runCommand(join(install, 'scripts', name), args, env);

describe('start-worker', () => {
  test('passes its arguments on as they are', async () => {
    const ended = await run('start-worker', ['a b', '', '--x=*']);
    expect(JSON.parse(ended.out)).toMatchObject({ arguments: ['a b', '', '--x=*'] });
  });

  test('reads the environment file that is named, and variables that are set win over it', async () => {
    const file = join(install, 'my.env');
    await writeFile(file, 'LOG_LEVEL=debug\n');
    await writeFile(join(install, '.env'), 'LOG_LEVEL=warn\n');
    expect(JSON.parse((await run('start-worker', ['--env-file', file])).out)).toMatchObject({
      arguments: [],
      level: 'debug',
    });
    expect(JSON.parse((await run('start-worker', [`--env-file=${file}`])).out)).toMatchObject({ level: 'debug' });
    expect(JSON.parse((await run('start-worker', [], { LOG_LEVEL: 'error' })).out)).toMatchObject({ level: 'error' });
    expect(JSON.parse((await run('start-worker', [])).out)).toMatchObject({ level: 'warn' });
  });

  test('names an environment file that is not there', async () => {
    const ended = await run('start-worker', ['--env-file', 'absent.env']);
    expect(ended).toMatchObject({ code: 1, out: '', err: expect.stringContaining('absent.env cannot be read') });
    expect(await run('start-worker', ['--env-file'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('needs a file'),
    });
  });

  test('works through a link in another folder', async () => {
    const link = join(install, 'linked');
    await symlink(join(install, 'scripts/start-worker'), link);
    expect((await runCommand(link, ['x'])).code).toBe(0);
  });

  test('lets the loader find the CUDA libraries that setup has fetched', async () => {
    await mkdir(join(install, '.local/cuda/lib'), { recursive: true });
    const ended = await run('start-worker', [], { LD_LIBRARY_PATH: '/mine' });
    expect(JSON.parse(ended.out)).toMatchObject({ libraries: `${install}/.local/cuda/lib:/mine` });
  });

  test.each(['start-worker', 'video-worker'])(
    '%s has one arena for all threads, or as the operator says',
    async (name) => {
      const arenas = async (env: Record<string, string>): Promise<unknown> => {
        const told = JSON.parse((await run(name, [], env)).out) as { readonly arenas: unknown };
        return told.arenas;
      };
      expect(await arenas({})).toBe('1');
      expect(await arenas({ MALLOC_ARENA_MAX: '4' })).toBe('4');
      // The way back to what the C library does by itself.
      expect(await arenas({ MALLOC_ARENA_MAX: '' })).toBe('');
    },
  );

  test('says how to build what is not built', async () => {
    await rm(join(install, 'dist'), { recursive: true });
    expect(await run('start-worker', [])).toMatchObject({ code: 1, err: expect.stringContaining('Run scripts/setup') });
  });

  test('refuses a system Node that is too old and takes one that is not', async () => {
    await rm(join(install, 'node_modules'), { recursive: true });
    const bin = join(install, 'bin');
    await mkdir(bin);
    const fakeNode = async (version: string): Promise<Ended> => {
      await writeFile(
        join(bin, 'node'),
        `#!/bin/sh\n[ "$1" = --version ] && echo ${version} || exec ${process.execPath} "$@"\n`,
      );
      await chmod(join(bin, 'node'), 0o755);
      return await run('start-worker', [], { PATH: `${bin}:/usr/bin:/bin` });
    };
    expect(await fakeNode('v20.19.2')).toMatchObject({ code: 1, err: expect.stringContaining('v20.19.2 is too old') });
    expect(await fakeNode('v22.17.9')).toMatchObject({ code: 1 });
    expect(await fakeNode('v22.18.0')).toMatchObject({ code: 0 });
    expect(await fakeNode('v24.1.0')).toMatchObject({ code: 0 });
  });
});

test('video-worker starts its own entry with --env-file anywhere among its arguments', async () => {
  await writeFile(join(install, 'my.env'), 'LOG_LEVEL=trace\n');
  const ended = await run('video-worker', ['status', '--env-file', 'my.env', '--json']);
  expect(JSON.parse(ended.out)).toMatchObject({ arguments: ['status', '--json'], level: 'trace' });
});

describe('setup', () => {
  test('refuses an option that it does not know, before it does anything', async () => {
    const ended = await runCommand(join(ROOT, 'scripts/setup'), ['--gpus']);
    expect(ended).toMatchObject({ code: 1, out: '', err: expect.stringContaining('unknown option --gpus') });
  });

  test.each([
    'scripts/setup',
    'scripts/test',
    'scripts/start-worker',
    'scripts/video-worker',
    '.ci/run',
    'test/fresh/run',
  ])('%s is a program with correct syntax', async (script) => {
    expect(await runCommand('bash', ['-n', join(ROOT, script)])).toMatchObject({ code: 0, err: '' });
    expect(await runCommand('test', ['-x', join(ROOT, script)])).toMatchObject({ code: 0 });
  });

  // Python is only there for setup's --gpu.
  const hasPython = existsSync('/usr/bin/python3');
  const whyNot = hasPython ? '' : ' (there is no /usr/bin/python3)';
  (hasPython ? test : test.skip)(
    `takes from a wheel what its CUDA extras ask for, and nothing else${whyNot}`,
    async () => {
      const wheel = join(install, 'w/onnxruntime_gpu-1-py3-none-any.whl');
      await mkdir(join(install, 'w'));
      const metadata = [
        'Requires-Dist: numpy>=1.21.6',
        'Requires-Dist: sympy; extra == "symbolic"',
        'Requires-Dist: nvidia-cuda-runtime~=13.0; extra == "cuda"',
        "Requires-Dist: nvidia-cudnn-cu13~=9.0 ; extra == 'cudnn'",
      ].join('\n');
      const made = await runCommand('python3', [
        '-c',
        `import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("onnxruntime_gpu-1.dist-info/METADATA", sys.argv[2])`,
        wheel,
        metadata,
      ]);
      expect(made).toMatchObject({ code: 0 });
      const library = join(ROOT, 'scripts/setup-lib/cuda.sh');
      const ended = await runCommand('bash', ['-c', `. "$0"; wheel_extras "$1"`, library, join(install, 'w')]);
      expect(ended.out.trim().split('\n')).toEqual(['nvidia-cuda-runtime~=13.0', 'nvidia-cudnn-cu13~=9.0']);
    },
  );
});
