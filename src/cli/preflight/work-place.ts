import { access, constants, lstat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isOwnEntry } from '../../storage/left-behind.ts';
import { onDisk } from '../../storage/on-disk.ts';
import { lookAtPrivateFolder, ownUid } from '../../storage/private-folder.ts';
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
  /** The note is about another user than this one, as whom the worker may run or not. */
  readonly isForOther: boolean;
}

const ROOT = 0;
const WRITABLE = constants.W_OK | constants.X_OK;

/** For a worker that is about to start: WORK_DIR is made, as the jobs will need it. */
export function workPlaceOf(folder: WorkFolder): WorkPlace {
  return {
    scratch: (name) => folder.workspace(name),
    async workDir() {
      await folder.open();
      return { freeBytes: await freeBytesOf(folder.root), note: null, isForOther: false };
    },
  };
}

/**
 * For whoever only wants to know: WORK_DIR is looked at, and nothing is made, opened to others or closed to them. Often that is root, and
 * the worker another user, who could not use what root had made. The tools are tried in a folder for temporary files that is gone again.
 */
export function onlyLookingAt(workDir: string): WorkPlace {
  return {
    scratch: (name) => temporaryWorkspace(name, workDir),
    workDir: () => lookAt(workDir),
  };
}

async function lookAt(workDir: string): Promise<WorkDirFacts> {
  const uid = ownUid();
  const owner = uid === ROOT ? await ownerOf(workDir) : uid;
  const found = await lookAtPrivateFolder(workDir, owner, isOwnEntry);
  const nearest = found.kind === 'there' ? found.path : found.parent;
  await onDisk(found.kind === 'there' ? 'use the folder' : `make ${found.first}`, () =>
    access(nearest, found.kind === 'there' ? WRITABLE | constants.R_OK : WRITABLE),
  );
  const freeBytes = await onDisk('measure the free space', () => freeBytesOf(nearest));
  if (owner !== uid) {
    const note = `it belongs to uid ${owner}, and this check runs as root: right for a worker that runs as that user; root itself would refuse it`;
    return { freeBytes, note, isForOther: true };
  }
  if (found.kind === 'there') {
    return {
      freeBytes,
      note: found.isOpen ? 'others may look into it: a start closes it (mode 0700)' : null,
      isForOther: false,
    };
  }
  const asRoot = `; this check runs as root, so that it does not show whether another user can make it in ${found.parent}`;
  return { freeBytes, note: `not there yet, a start makes it${uid === ROOT ? asRoot : ''}`, isForOther: false };
}

/** Of a folder that is there; otherwise root. */
async function ownerOf(workDir: string): Promise<number> {
  const facts = await lstat(workDir).catch(() => null);
  return facts !== null && facts.isDirectory() ? facts.uid : ROOT;
}

/** In WORK_DIR where nothing can be written elsewhere, as long as that is there already. */
async function temporaryWorkspace(name: string, workDir: string): Promise<Workspace> {
  return await workspaceIn(tmpdir(), name).catch(async (error: unknown) => {
    const found = await lookAtPrivateFolder(workDir, ownUid(), isOwnEntry).catch(() => null);
    if (found === null || found.kind === 'absent' || found.isOpen) throw error;
    return await workspaceIn(found.path, name);
  });
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
