import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { workPlaceOf } from '../../../src/cli/preflight/work-place.ts';
import { areLocksSeen, FolderLock, KERNEL_LOCKS, type FolderLocks } from '../../../src/storage/folder-lock.ts';
import type { LeftBehind } from '../../../src/storage/left-behind.ts';
import { createWorkspace, WorkFolder } from '../../../src/storage/work-folder.ts';
import { canHaveOwnPids, IN_ITS_OWN_PIDS } from '../../harness/own-pids.ts';
import { owned } from '../../harness/ownership.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const MODULE = fileURLToPath(new URL('../../../src/storage/work-folder.ts', import.meta.url));
let folder: TemporaryFolder;
let root: string;
beforeEach(async () => {
  folder = await temporaryFolder('work-folder');
  root = folder.at('work');
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await folder.remove();
});

const ends: (() => Promise<void>)[] = [];
const open = (): WorkFolder => {
  const made = new WorkFolder(root);
  ends.push(() => made[Symbol.asyncDispose]());
  return made;
};

interface OtherWorker {
  readonly child: ChildProcess;
  /** The workspace in which it works. */
  readonly directory: string;
}

/** A worker in a process of its own, at work until it is killed; `around`: a program that starts it, and its arguments. */
async function startOther(around: readonly string[] = []): Promise<OtherWorker> {
  const script = `
    const { WorkFolder } = await import(${JSON.stringify(MODULE)});
    const folder = new WorkFolder(${JSON.stringify(root)});
    const { removed } = await folder.removeLeftBehind();
    const { directory } = await folder.workspace('other');
    console.log(JSON.stringify({ directory, removed }));
    setInterval(() => {}, 1e6);`;
  const node = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--input-type=module-typescript',
    '-e',
    script,
  ];
  const [program = '', ...args] = [...around, ...node];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const end = owned(`the other worker ${child.pid}`, async () => kill(child));
  ends.push(end);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  const { directory } = JSON.parse(line) as { directory: string };
  await writeFile(join(directory, 'video'), 'frames');
  return { child, directory };
}

/** With all that it has started: `unshare` waits for its child. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // A lock goes with the last thread, as the pipe does, and not when the process is a zombie. It may be a child of `unshare` that has them.
  const gone = once(child, 'close');
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await gone;
}

const inTwoNamespaces = canHaveOwnPids() ? test : test.skip;

describe('the folder of a worker', () => {
  test('is its own, private, and gone with it; each job has one in it', async () => {
    const work = open();
    expect(existsSync(root)).toBe(false);
    await using one = await work.workspace('run-1/../x');
    await using other = await work.workspace('run-2');
    const own = dirname(one.directory);
    expect(dirname(other.directory)).toBe(own);
    expect(basename(own)).toMatch(/^worker-[A-Za-z0-9]{6}$/);
    expect(basename(one.directory)).toMatch(/^job-run1x-[A-Za-z0-9]{6}$/);
    for (const path of [root, own, one.directory]) expect((await stat(path)).mode & 0o777).toBe(0o700);
    await work[Symbol.asyncDispose]();
    expect(await readdir(root)).toEqual([]);
  });

  test('is made anew where a cleaner took it, by all jobs together', async () => {
    const work = open();
    await work.workspace('before');
    await rm(root, { recursive: true });
    const made = await Promise.all(['a', 'b', 'c'].map((name) => work.workspace(name)));
    expect(new Set(made.map(({ directory }) => dirname(directory))).size).toBe(1);
    expect(await open().removeLeftBehind()).toEqual({ removed: 0, kept: [] });
    expect(await readdir(root)).toHaveLength(1);
  });

  test('a folder that was refused is looked at again for the next job', async () => {
    await mkdir(root);
    await chmod(root, 0o777);
    const work = open();
    await expect(work.workspace('a')).rejects.toMatchObject({ code: 'HOST_FAULT' });
    await chmod(root, 0o700);
    await work.workspace('a');
  });

  test('a command that needs one workspace leaves nothing', async () => {
    await mkdir(root, { mode: 0o700 });
    const workspace = await createWorkspace(root, 'one');
    expect(await open().removeLeftBehind()).toEqual({ removed: 0, kept: [] });
    await workspace.dispose();
    await workspace.dispose();
    expect(await readdir(root)).toEqual([]);
  });

  test('such commands do not stumble over each other', async () => {
    const deep = join(root, 'a', 'b');
    const useOften = async (): Promise<void> => {
      for (let time = 0; time < 4; time += 1) {
        await using workspace = await createWorkspace(deep, 'one');
        await writeFile(workspace.path('video'), '');
      }
    };
    await Promise.all(Array.from({ length: 6 }, useOften));
  });

  test('such a command takes WORK_DIR away again where it was not there, but never that of others', async () => {
    const deep = join(root, 'a', 'b');
    await (await createWorkspace(deep, 'one')).dispose();
    expect(existsSync(root)).toBe(false);
    const workspace = await createWorkspace(deep, 'one');
    await using worker = new WorkFolder(deep);
    const { directory } = await worker.workspace('other');
    await workspace.dispose();
    expect(existsSync(directory)).toBe(true);
  });
});

describe('what others left', () => {
  test('of a worker that was killed is removed, whatever it was doing', async () => {
    const { child, directory } = await startOther();
    await kill(child);
    expect(existsSync(directory)).toBe(true);
    expect(await open().removeLeftBehind()).toEqual({ removed: 1, kept: [] });
    expect(await readdir(root)).toEqual([]);
  });

  test.each<[string, (child: ChildProcess) => void]>([
    ['works', () => undefined],
    ['is stopped', (child) => child.kill('SIGSTOP')],
  ])('of a worker that %s stays, however often another starts', async (_what, change) => {
    const { child, directory } = await startOther();
    change(child);
    for (let start = 0; start < 3; start += 1) {
      expect(await open().removeLeftBehind()).toEqual({ removed: 0, kept: [] });
    }
    expect(await readdir(directory)).toEqual(['video']);
  });

  inTwoNamespaces('of a worker in another pid namespace stays while it lives, and goes when it is killed', async () => {
    // Its process ids begin anew: none of them means anything here.
    const inside = await startOther(IN_ITS_OWN_PIDS);
    const outside = await startOther();
    // Each looked at what the other had when it started.
    const again = await startOther(IN_ITS_OWN_PIDS);
    for (const { directory } of [inside, outside, again]) expect(await readdir(directory)).toEqual(['video']);
    expect(await open().removeLeftBehind()).toEqual({ removed: 0, kept: [] });
    await kill(inside.child);
    expect(await open().removeLeftBehind()).toEqual({ removed: 1, kept: [] });
    expect(existsSync(inside.directory)).toBe(false);
    expect(existsSync(again.directory)).toBe(true);
  });

  test('workers that start at the same moment neither lose their own folder nor stumble over each other', async () => {
    const { child } = await startOther();
    await kill(child);
    const works = Array.from({ length: 12 }, open);
    const made = await Promise.all(
      works.map(async (work) => {
        const [{ removed }, { directory }] = await Promise.all([work.removeLeftBehind(), work.workspace('start')]);
        return { removed, directory };
      }),
    );
    for (const { directory } of made) expect(existsSync(directory)).toBe(true);
    expect(made.reduce((sum, { removed }) => sum + removed, 0)).toBeGreaterThanOrEqual(1);
    expect(await readdir(root)).toHaveLength(works.length);
  });

  test.each<[string, Partial<FolderLocks>]>([
    ['others may not see a lock', { areSeen: async () => false }],
    ['no lock can be had', { take: async () => 'unknown' }],
  ])('where %s, a worker works under a name that nobody removes', async (_what, change) => {
    const unlocked = new WorkFolder(root, { ...KERNEL_LOCKS, ...change });
    ends.push(() => unlocked[Symbol.asyncDispose]());
    expect(await unlocked.open()).toEqual({ isLocked: false });
    const { directory } = await unlocked.workspace('job');
    const [own = ''] = await readdir(root);
    expect(own).toMatch(/^unlocked-[A-Za-z0-9]{6}$/);
    // Neither by one that sees locks nor by one that does not.
    expect(await open().removeLeftBehind()).toEqual({ removed: 0, kept: [own] });
    expect(await unlocked.removeLeftBehind()).toEqual({ removed: 0, kept: [own] });
    expect(existsSync(directory)).toBe(true);
    await unlocked[Symbol.asyncDispose]();
    expect(await readdir(root)).toEqual([]);
  });

  test('what a worker with a lock left stays where locks cannot be seen', async () => {
    const { child } = await startOther();
    await kill(child);
    const blind = new WorkFolder(root, { ...KERNEL_LOCKS, areSeen: async () => false });
    expect((await blind.removeLeftBehind()).kept).toHaveLength(1);
    expect((await open().removeLeftBehind()).removed).toBe(1);
  });

  test('is removed before a start measures the room, and told', async () => {
    const { child } = await startOther();
    await kill(child);
    const told: LeftBehind[] = [];
    const facts = await workPlaceOf(open(), (left) => told.push(left)).workDir();
    expect(told).toEqual([{ removed: 1, kept: [] }]);
    expect(facts).toEqual({ freeBytes: expect.any(Number), note: null, fix: null });
    const blind = new WorkFolder(root, { ...KERNEL_LOCKS, areSeen: async () => false });
    ends.push(() => blind[Symbol.asyncDispose]());
    expect((await workPlaceOf(blind, () => undefined).workDir()).fix).toContain(
      'set WORK_DIR to a folder of a local disk',
    );
  });

  test('under a name that says that it has no lock stays, and is told', async () => {
    await mkdir(join(root, 'unlocked-abc123', 'job-x-123456'), { recursive: true });
    await chmod(root, 0o700);
    expect(await open().removeLeftBehind()).toEqual({ removed: 0, kept: ['unlocked-abc123'] });
  });

  test("what is not the worker's stays: files, other folders, and links to folders", async () => {
    await mkdir(join(root, 'worker-data'), { recursive: true });
    await mkdir(join(root, 'something-else'));
    await writeFile(join(root, 'worker-abc123'), '');
    await chmod(root, 0o700);
    expect(await open().removeLeftBehind()).toEqual({ removed: 0, kept: [] });
    expect((await readdir(root)).toSorted()).toEqual(['something-else', 'worker-abc123', 'worker-data']);
  });

  test('a folder that is called as one of a worker stays while something else lies in it', async () => {
    for (const name of ['backup', 'images', 'models']) await mkdir(join(root, `worker-${name}`), { recursive: true });
    await writeFile(join(root, 'worker-backup', 'letters.txt'), 'kept');
    await mkdir(join(root, 'worker-images', '2024'));
    await mkdir(join(root, 'worker-models', 'job-x-123456'));
    await writeFile(join(root, 'worker-models', 'model.onnx'), '');
    await mkdir(join(root, 'worker-4fGh2x', 'job-run1-Qw9zT1'), { recursive: true });
    await writeFile(join(root, 'worker-4fGh2x', 'job-run1-Qw9zT1', 'video'), '');
    await chmod(root, 0o700);
    const { removed, kept } = await open().removeLeftBehind();
    expect([removed, kept.toSorted()]).toEqual([1, ['worker-backup', 'worker-images', 'worker-models']]);
    expect(await readdir(join(root, 'worker-backup'))).toEqual(['letters.txt']);
  });

  test('of the former form is removed when its process is gone and no job of it can run, and stays otherwise', async () => {
    const stat = await import('node:fs/promises').then(({ readFile }) => readFile(`/proc/${process.pid}/stat`, 'utf8'));
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const alive = `job-${process.pid}-${start}-alive-abcdef`;
    const gone = 'job-4194304-12345-gone-abcdef';
    const reused = `job-${process.pid}-1-reused-abcdef`;
    for (const name of [alive, gone, reused]) {
      await mkdir(join(root, name, 'highlights'), { recursive: true });
      // Older than any job: in a container a process id says nothing.
      await utimes(join(root, name), new Date(0), new Date(0));
    }
    await chmod(root, 0o700);
    expect(await open().removeLeftBehind()).toEqual({ removed: 2, kept: [] });
    expect(await readdir(root)).toEqual([alive]);
  });

  inTwoNamespaces('of the former form stays in a container while a job of it may run elsewhere', async () => {
    await mkdir(join(root, 'job-4194304-12345-elsewhere-abcdef'), { recursive: true });
    await chmod(root, 0o700);
    await startOther(IN_ITS_OWN_PIDS);
    expect(await readdir(root)).toContain('job-4194304-12345-elsewhere-abcdef');
  });
});

describe('a lock on a folder', () => {
  test('is had by one, until it is let go or the process ends', async () => {
    const first = await FolderLock.take(folder.path);
    expect(first).toBeInstanceOf(FolderLock);
    expect(await FolderLock.take(folder.path)).toBe('held');
    await (first as FolderLock)[Symbol.asyncDispose]();
    const again = await FolderLock.take(folder.path);
    expect(again).toBeInstanceOf(FolderLock);
    await (again as FolderLock)[Symbol.asyncDispose]();
  });

  test('is not had of what is no folder or is gone', async () => {
    await writeFile(folder.at('file'), '');
    expect(await FolderLock.take(folder.at('file'))).toBe('gone');
    expect(await FolderLock.take(folder.at('nothing'))).toBe('gone');
  });

  test('is not had of a folder that is removed meanwhile: it would be the lock of nothing', async () => {
    await mkdir(folder.at('vanishing'));
    // A removal takes microseconds, and the child that locks a millisecond at least.
    const [answer] = await Promise.all([FolderLock.take(folder.at('vanishing')), rmdir(folder.at('vanishing'))]);
    expect(answer).toBe('gone');
  });

  test('a worker whose new folder is taken for abandoned makes another', async () => {
    let left = 3;
    const take: FolderLocks['take'] = async (path) => {
      left -= 1;
      if (left < 0) return await KERNEL_LOCKS.take(path);
      await rmdir(path);
      return 'gone';
    };
    const work = new WorkFolder(root, { ...KERNEL_LOCKS, take });
    ends.push(() => work[Symbol.asyncDispose]());
    expect(await work.open()).toEqual({ isLocked: true });
    left = 1_000;
    await expect(new WorkFolder(root, { ...KERNEL_LOCKS, take }).open()).rejects.toMatchObject({ code: 'HOST_FAULT' });
  });

  test('is trusted on local file systems alone', async () => {
    expect(await areLocksSeen(folder.path)).toBe(true);
    expect(await areLocksSeen('/proc')).toBe(false);
  });
});
