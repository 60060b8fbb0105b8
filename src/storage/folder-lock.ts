import { spawn } from 'node:child_process';
import { close, constants, fstat, lstat, open } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from '../failure/fields.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const factsOf = promisify(fstat);
const factsAt = promisify(lstat);

/** `held`: by somebody who lives. `unknown`: nothing can be said, since there is no `flock`, or the file system has no locks. */
export type LockAnswer = FolderLock | 'held' | 'unknown' | 'gone';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** The descriptor's number in the child. */
const INHERITED = 3;
const LIMIT_MS = 10_000;
const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

/** Local file systems: no other kernel has them mounted, so that a lock of this one is seen by everybody who can come. */
const OF_ONE_KERNEL: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
]);

/**
 * A lock on a folder itself (`flock(2)`), by which others see that its owner lives. The kernel drops it when this process ends, however it
 * ends, and not before: a process that is stopped keeps it. It belongs to the folder and not to a process id, so that it is seen from
 * other pid namespaces and containers, and a reboot leaves none. `systemd-tmpfiles` leaves a folder with such a lock alone, too.
 *
 * Node has no `flock`. The lock belongs to the open file, though, which a child shares with us: `flock` of util-linux takes it on the
 * descriptor that it inherits, and is gone again after some milliseconds. The descriptor is a bare number, which nothing closes: a
 * `FileHandle` that is forgotten would be closed by the garbage collector, and the lock with it. Children do not inherit it (`O_CLOEXEC`).
 */
export class FolderLock implements AsyncDisposable {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Takes the lock of a folder, without waiting for it. Rejects where the folder cannot be opened for want of descriptors or rights. */
  static async take(folder: string): Promise<LockAnswer> {
    const descriptor = await openFile(folder, FOLDER).catch(unlessAbsent);
    if (descriptor === null) return 'gone';
    try {
      const answer = await askFlock(descriptor);
      if (answer !== 'locked') {
        await closeFile(descriptor);
        return answer;
      }
      // Whoever held it until now may have removed the folder: this is then the lock of nothing.
      if (await isStillAt(folder, descriptor)) return new FolderLock(descriptor);
      await closeFile(descriptor);
      return 'gone';
    } catch (error) {
      await closeFile(descriptor);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeFile(this.#descriptor);
  }
}

/** How workers see of each other that they live. */
export interface FolderLocks {
  areSeen(folder: string): Promise<boolean>;
  take(folder: string): Promise<LockAnswer>;
}

export const KERNEL_LOCKS: FolderLocks = { areSeen: areLocksSeen, take: (folder) => FolderLock.take(folder) };

/** Whether locks in this folder are seen by all who may use it: on a network or in a virtual machine's share, others may not see ours. */
export async function areLocksSeen(folder: string): Promise<boolean> {
  const { type } = await statfs(folder);
  return OF_ONE_KERNEL.has(type >>> 0);
}

function unlessAbsent(error: unknown): null {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return null;
  throw error;
}

async function isStillAt(folder: string, descriptor: number): Promise<boolean> {
  const [ours, there] = await Promise.all([factsOf(descriptor), factsAt(folder).catch(() => null)]);
  return there !== null && there.ino === ours.ino && there.dev === ours.dev;
}

async function askFlock(descriptor: number): Promise<'locked' | 'held' | 'unknown'> {
  const { promise, resolve } = Promise.withResolvers<'locked' | 'held' | 'unknown'>();
  try {
    const stdio = ['ignore', 'ignore', 'pipe', descriptor] as const;
    const limits = { timeout: LIMIT_MS, killSignal: 'SIGKILL' } as const;
    const child = spawn('flock', ['-n', String(INHERITED)], { stdio: [...stdio], env: { PATH }, ...limits });
    let said = 0;
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.length));
    child.once('error', () => resolve('unknown'));
    // It says nothing of a lock that is held, and says what else keeps it from one, under the same exit code in BusyBox.
    child.once('close', (code) => {
      if (code === 0) resolve('locked');
      else resolve(code === 1 && said === 0 ? 'held' : 'unknown');
    });
  } catch {
    // No process or descriptor is left for it.
    return 'unknown';
  }
  return await promise;
}
