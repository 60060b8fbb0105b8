import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A temporary directory for media; removed by `remove`. */
export async function mediaFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'media-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Runs the system's ffmpeg to make a fixture. */
export async function makeMedia(args: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-v', 'error', '-y', ...args]);
}

/** A test picture that changes with each frame. */
export function testSource(options: { size?: string; rate?: number | string; seconds?: number } = {}): string[] {
  const { size = '64x48', rate = 10, seconds = 3 } = options;
  return ['-f', 'lavfi', '-i', `testsrc=s=${size}:r=${rate}:d=${seconds}`];
}
