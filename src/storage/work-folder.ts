import { chmod, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../failure/failure.ts';
import { FolderLock, KERNEL_LOCKS, type FolderLocks } from './folder-lock.ts';
import { isOwnEntry, LOCKED, removeLeftBehind, UNLOCKED, type LeftBehind } from './left-behind.ts';
import { onDisk } from './on-disk.ts';
import type { ParentTrust } from './safe-path.ts';
import { ensurePrivateFolder, lookAtPrivateFolder, ownUid } from './private-folder.ts';
import { workspaceIn, type Workspace, type Workspaces } from './workspace.ts';
import { codeOf } from '../failure/fields.ts';

/** The folder of this process in WORK_DIR. */
interface Own {
  readonly directory: string;
  /** Null: it is known by its name that nobody may remove it. */
  readonly lock: FolderLock | null;
}

/** Of making a folder that somebody else removes at the same moment. */
const ATTEMPTS = 20;

export interface WorkDirSettings {
  readonly workDir: string;
  readonly workDirParents: ParentTrust;
}

/**
 * WORK_DIR as one process uses it. Each has a folder of its own below it, under a random name, and in that its workspaces:
 *
 *     WORK_DIR/                  this user's alone, mode 0700, or it is refused
 *       worker-4fGh2x/           of one process, which holds a lock on it while it lives
 *         job-RUN-Qw9zT1/        of one job
 *
 * A lock and not a process id says whose a folder is: the same id is another process after a reboot, and in another container that shares
 * WORK_DIR it is nobody's. Where a lock cannot be had, or not be seen by all who may come, the folder is called `unlocked-...`, and
 * nobody removes it but its owner: what may live is never deleted, and a person clears up after a worker that was killed there.
 *
 * Made at the first workspace. Where a cleaner takes the folder away under a worker, it makes itself another one.
 */
export class WorkFolder implements Workspaces, AsyncDisposable {
  readonly root: string;
  readonly #locks: FolderLocks;
  readonly #parents: ParentTrust;
  #own: Promise<Own> | null = null;
  /** Whose locks are kept: WORK_DIR may have been moved away and come back, and jobs be at work in them. */
  readonly #former: Own[] = [];

  constructor(root: string, locks: FolderLocks = KERNEL_LOCKS, parents: ParentTrust = 'checked') {
    this.root = root;
    this.#parents = parents;
    this.#locks = locks;
  }

  async workspace(name: string): Promise<Workspace> {
    return await onDisk('make a workspace', async () => {
      for (let attempt = 1; ; attempt += 1) {
        const own = await this.#open();
        try {
          return await workspaceIn(own.directory, name);
        } catch (error) {
          if (!isAbsent(error)) throw error;
          if (attempt === ATTEMPTS) throw vanishing(this.root, error);
          this.#forget(own);
        }
      }
    });
  }

  /** Makes sure that WORK_DIR can be used; a Failure of the host says why not. `isLocked`: others can see that this process lives. */
  async open(): Promise<{ readonly isLocked: boolean }> {
    const { lock } = await this.#open();
    return { isLocked: lock !== null };
  }

  /** Removes what workers that are gone left in WORK_DIR. */
  async removeLeftBehind(): Promise<LeftBehind> {
    return await onDisk('look for what others left', async () => {
      const folder = await ensurePrivateFolder(this.root, isOwnEntry, this.#parents);
      return await removeLeftBehind(folder, this.#locks).catch((error: unknown) => {
        // A command that ends takes away a folder that it had to make.
        if (isAbsent(error)) return { removed: 0, kept: [] };
        throw error;
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const own = await this.#own?.catch(() => null);
    this.#own = null;
    // What cannot be removed now, the next start removes.
    if (own !== null && own !== undefined) {
      await rm(own.directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
      this.#former.push(own);
    }
    // Dropped last: nobody else is to remove the folder at the same time.
    for (const { lock } of this.#former.splice(0)) await lock?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<Own> {
    const opening = (this.#own ??= makeOwn(this.root, this.#locks, this.#parents));
    try {
      return await opening;
    } catch (error) {
      // Somebody may mend it: the next job looks again.
      if (this.#own === opening) this.#own = null;
      throw error;
    }
  }

  /** Of several jobs that find the folder gone, the first lets it go. */
  #forget(own: Own): void {
    if (this.#former.includes(own)) return;
    this.#own = null;
    this.#former.push(own);
  }
}

/** WORK_DIR as the configuration names it. */
export function openWorkFolder({ workDir, workDirParents }: WorkDirSettings): WorkFolder {
  return new WorkFolder(workDir, KERNEL_LOCKS, workDirParents);
}

/**
 * One workspace for a command that needs no other; with it goes all that was made for it, WORK_DIR too where it was not there before: an
 * operator who looks at something as root does not leave a folder that the worker's user cannot use.
 */
export async function createWorkspace(
  root: string,
  name: string,
  parents: ParentTrust = 'checked',
): Promise<Workspace> {
  const before = await onDisk('look at the folder', () => lookAtPrivateFolder(root, ownUid(), isOwnEntry, parents));
  const folder = new WorkFolder(root, KERNEL_LOCKS, parents);
  const dispose = async (): Promise<void> => {
    await folder[Symbol.asyncDispose]();
    if (before.kind === 'absent') await removeEmpty(before);
  };
  try {
    await folder.removeLeftBehind();
    return { ...(await folder.workspace(name)), dispose, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Those that were made, from the last to the first, as long as nobody else has begun to use them. */
async function removeEmpty({ path, first }: { readonly path: string; readonly first: string }): Promise<void> {
  try {
    for (let at = path; at.length >= first.length; at = dirname(at)) await rmdir(at);
  } catch {
    // Another worker has its folder there by now: it keeps it.
  }
}

async function makeOwn(root: string, locks: FolderLocks, parents: ParentTrust): Promise<Own> {
  return await onDisk('make the folder of this worker', async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const own = await tryMakeOwn(await ensurePrivateFolder(root, isOwnEntry, parents), locks);
        if (own !== null) return own;
        if (attempt === ATTEMPTS) throw vanishing(root);
      } catch (error) {
        if (!isAbsent(error)) throw error;
        if (attempt === ATTEMPTS) throw vanishing(root, error);
      }
    }
  });
}

/** Null: between its making and its locking somebody else who starts took the folder for abandoned, and removed it. */
async function tryMakeOwn(folder: string, locks: FolderLocks): Promise<Own | null> {
  if (!(await locks.areSeen(folder))) return await makeUnlocked(folder);
  const directory = await makeFolder(folder, LOCKED);
  const lock = await locks.take(directory);
  if (lock instanceof FolderLock) return { directory, lock };
  if (lock !== 'unknown') return null;
  await rm(directory, { recursive: true, force: true });
  return await makeUnlocked(folder);
}

function vanishing(root: string, cause?: unknown): Failure {
  const message = `WORK_DIR ${root}: what is made in it is gone at once; keep cleaners of temporary files away from it`;
  return new Failure('HOST_FAULT', message, cause === undefined ? {} : { cause });
}

async function makeUnlocked(folder: string): Promise<Own> {
  return { directory: await makeFolder(folder, UNLOCKED), lock: null };
}

async function makeFolder(folder: string, prefix: string): Promise<string> {
  const directory = await mkdtemp(join(folder, prefix));
  // As in a workspace: the umask can only take away.
  await chmod(directory, 0o700);
  return directory;
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}
