import { access, constants, lstat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { areLocksSeen } from '../../storage/folder-lock.ts';
import { isOwnEntry, type LeftBehind } from '../../storage/left-behind.ts';
import { onDisk } from '../../storage/on-disk.ts';
import { lookAtPrivateFolder, ownUid } from '../../storage/private-folder.ts';
import type { ParentTrust } from '../../storage/safe-path.ts';
import type { WorkFolder } from '../../storage/work-folder.ts';
import { workspaceIn, type Workspace } from '../../storage/workspace.ts';

/** What the preflight needs of the disk. */
export interface WorkPlace {
  /** A private folder for a moment, in which the tools are tried. */
  scratch(name: string): Promise<Workspace>;
  /** Rejects with a Failure of the host where WORK_DIR cannot be used. */
  workDir(): Promise<WorkDirFacts>;
}

export interface WorkDirFacts {
  /** For this user. */
  readonly freeBytes: number;
  /** What else is to be said of it; null where nothing is. */
  readonly note: string | null;
  /** What to do about that; null where nothing is. */
  readonly fix: string | null;
}

const ROOT = 0;
const WRITABLE = constants.W_OK | constants.X_OK;

const NO_LOCKS = {
  note: 'no lock shows there that a worker lives, so that what a killed one leaves stays until somebody removes it',
  fix: 'set WORK_DIR to a folder of a local disk, and install flock (util-linux)',
} as const;
const ASK_AS_WORKER =
  'make this check as the user of the worker, with its settings (`runuser -u`, or `systemd-run` with `--uid`)';

/**
 * For a worker that is about to start: WORK_DIR is made, as the jobs will need it. Before its room is measured, what workers that are gone
 * left is removed, and `tell` hears of it: a disk that is full with it would keep every start from clearing it.
 */
export function workPlaceOf(folder: WorkFolder, tell: (left: LeftBehind) => void): WorkPlace {
  return {
    scratch: (name) => folder.workspace(name),
    async workDir() {
      tell(await folder.removeLeftBehind());
      const { isLocked } = await folder.open();
      const freeBytes = await onDisk('measure the free space', () => freeBytesOf(folder.root));
      return isLocked ? { freeBytes, note: null, fix: null } : { freeBytes, ...NO_LOCKS };
    },
  };
}

/**
 * For whoever only wants to know: WORK_DIR is looked at, and nothing is made, opened to others or closed to them. Often that is root, and
 * the worker another user, who could not use what root had made. The tools are tried in a folder for temporary files that is gone again.
 */
export function onlyLookingAt(workDir: string, parents: ParentTrust): WorkPlace {
  return {
    scratch: (name) => temporaryWorkspace(name, workDir, parents),
    workDir: () => lookAt(workDir, parents),
  };
}

async function lookAt(workDir: string, parents: ParentTrust): Promise<WorkDirFacts> {
  const uid = ownUid();
  const owner = uid === ROOT ? await ownerOf(workDir) : uid;
  const found = await lookAtPrivateFolder(workDir, owner, isOwnEntry, parents);
  const nearest = found.kind === 'there' ? found.path : found.parent;
  await onDisk(found.kind === 'there' ? 'use the folder' : `make ${found.first}`, () =>
    access(nearest, found.kind === 'there' ? WRITABLE | constants.R_OK : WRITABLE),
  );
  const freeBytes = await onDisk('measure the free space', () => freeBytesOf(nearest));
  if (owner !== uid) {
    const note = `it belongs to uid ${owner}, and this check runs as root: right for a worker that runs as that user; root itself would refuse it`;
    return { freeBytes, note, fix: ASK_AS_WORKER };
  }
  if (!(await areLocksSeen(nearest))) return { freeBytes, ...NO_LOCKS };
  if (found.kind === 'there') {
    return {
      freeBytes,
      note: found.isOpen ? 'others may look into it: a start closes it (mode 0700)' : null,
      fix: null,
    };
  }
  const asRoot = `; this check runs as root, so that it does not show whether another user can make it in ${found.parent}`;
  return { freeBytes, note: `not there yet, a start makes it${uid === ROOT ? asRoot : ''}`, fix: null };
}

/** Of a folder that is there; otherwise root. */
async function ownerOf(workDir: string): Promise<number> {
  const facts = await lstat(workDir).catch(() => null);
  return facts !== null && facts.isDirectory() ? facts.uid : ROOT;
}

/** In WORK_DIR where nothing can be written elsewhere, as long as that is there already. */
async function temporaryWorkspace(name: string, workDir: string, parents: ParentTrust): Promise<Workspace> {
  return await workspaceIn(tmpdir(), name, 'video-worker-').catch(async (error: unknown) => {
    const found = await lookAtPrivateFolder(workDir, ownUid(), isOwnEntry, parents).catch(() => null);
    if (found === null || found.kind === 'absent' || found.isOpen) throw error;
    return await workspaceIn(found.path, name);
  });
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
