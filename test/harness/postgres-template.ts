import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onceIn, runFolder } from './once-in-run.ts';

export interface ServerIdentity {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Puts the files of a fresh server with a database `worker` into the folder `data`. In a run of tests they are made once and copied for
 * each server: making them takes ten times the processor time of a copy.
 */
export async function layFreshData(binaries: string, identity: ServerIdentity, data: string): Promise<void> {
  const folder = runFolder();
  if (folder === null) {
    makeData(binaries, identity, data);
    return;
  }
  const template = await onceIn(folder, 'postgres-template', async (path) => {
    mkdirSync(path, { mode: 0o700 });
    const { uid, gid } = identity;
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
    makeData(binaries, identity, join(path, 'data'));
  });
  run('cp', ['-a', join(template, 'data'), data], {});
}

function makeData(binaries: string, identity: ServerIdentity, data: string): void {
  const how = ['-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions', '--wal-segsize=1'];
  run(join(binaries, 'initdb'), ['-D', data, '-U', 'worker', ...how], { ...identity, cwd: join(data, '..') });
  const options = ['-c', 'fsync=off', '-D', data, 'postgres'];
  const input = 'CREATE DATABASE worker\n';
  run(join(binaries, 'postgres'), ['--single', ...options], { ...identity, cwd: data, input });
}

function run(program: string, args: readonly string[], options: object): void {
  const { status, stderr, error } = spawnSync(program, args, { ...options, encoding: 'utf8' });
  // A server with a single user ends well also where a statement failed.
  if (status !== 0 || /^.*ERROR:/m.test(stderr)) throw new Error(`${program} failed: ${stderr}`, { cause: error });
}
