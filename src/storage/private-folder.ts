import type { Stats } from 'node:fs';
import { access, chmod, constants, mkdir, readdir } from 'node:fs/promises';
import { onDisk } from './on-disk.ts';
import { followSafely, isOpenToOthers, modeOf, refused, type ParentTrust, type PathEnd } from './safe-path.ts';
import { codeOf } from '../failure/fields.ts';

/** A folder for one user alone, as it was found. */
export type FolderFound =
  /** `isOpen`: others may look into it, and nobody but the user has ever been able to write there: it can be closed. */
  | { readonly kind: 'there'; readonly path: string; readonly isOpen: boolean }
  /** `parent` is the nearest folder that is there; it can be made in it. */
  | { readonly kind: 'absent'; readonly path: string; readonly parent: string; readonly first: string };

const ROOT = 0;
const PRIVATE = 0o700;
/** Of a path: more have no room in one. */
const MOST_PARTS = 2_048;
/** Of folders that are removed at the moment at which another is made in them. */
const MOST_REFUSALS = 50;
const ALL_ACCESS = constants.R_OK | constants.W_OK | constants.X_OK;

/** The user whom this process acts as. */
export function ownUid(): number {
  return process.geteuid?.() ?? 0;
}

/**
 * Looks at a folder in which `uid` alone may do anything, or at the place where it is to be made; changes nothing. `isOwnEntry` says of a
 * name whether the worker makes such ones. Throws HOST_FAULT with what was found, what is expected and what to do.
 */
export async function lookAtPrivateFolder(
  path: string,
  uid: number,
  isOwnEntry: (name: string) => boolean,
  parents: ParentTrust = 'checked',
): Promise<FolderFound> {
  const end = await onDisk('look at the folder', () => followSafely(path, uid, parents));
  if (end.kind === 'absent') return end;
  const { facts } = end;
  if (facts.isSymbolicLink()) {
    throw refused(
      `WORK_DIR ${path} is a link; it must be a folder itself: set WORK_DIR to the folder that it leads to`,
    );
  }
  if (!facts.isDirectory()) throw refused(`WORK_DIR ${path} is not a folder; move it away, or set another WORK_DIR`);
  if (facts.uid !== uid) throw belongsToOther(path, facts, uid);
  if ((facts.mode & 0o077) === 0) return { kind: 'there', path: end.path, isOpen: false };
  await assertCanBeClosed(end, isOwnEntry);
  return { kind: 'there', path: end.path, isOpen: true };
}

/**
 * Makes sure of a folder in which this user alone may do anything, mode 0700, and answers with its path free of links. It is made where it
 * is absent, and so are those above it.
 */
export async function ensurePrivateFolder(
  path: string,
  isOwnEntry: (name: string) => boolean,
  parents: ParentTrust = 'checked',
): Promise<string> {
  const uid = ownUid();
  let refusals = 0;
  for (let made = 0; made < MOST_PARTS && refusals <= MOST_REFUSALS; made += 1) {
    try {
      const found = await lookAtPrivateFolder(path, uid, isOwnEntry, parents);
      if (found.kind === 'there') return await readyFolder(found);
      // One at a time, and looked at again each time: in a folder like /tmp somebody else may have been quicker.
      await onDisk(`make ${found.first}`, () => mkdir(found.first, { mode: PRIVATE }).catch(unlessThere));
    } catch (error) {
      // What was there went away meanwhile, or it lies where nothing can be made, as below /proc.
      if (codeOf(error) !== 'ENOENT') throw error;
      refusals += 1;
    }
  }
  throw refused(`WORK_DIR ${path} cannot be made; set it to a folder of a disk, and keep cleaners away from it`);
}

async function readyFolder({ path, isOpen }: Extract<FolderFound, { kind: 'there' }>): Promise<string> {
  if (isOpen) await onDisk('close the folder', () => chmod(path, PRIVATE));
  await onDisk('use the folder', () => access(path, ALL_ACCESS));
  return path;
}

function belongsToOther(path: string, facts: Stats, uid: number): Error {
  return refused(
    `WORK_DIR ${path} belongs to uid ${facts.uid} (mode ${modeOf(facts)}); it must belong to uid ${uid}, as which this process runs, ` +
      `with mode 0700: run the worker as the folder's owner, remove the folder so that the worker makes its own, or set WORK_DIR to another one`,
  );
}

/**
 * What others could write may hold what they put there, and a folder with other files may be open for a reason: neither is closed by us.
 * What the worker alone has used, or nobody yet, was made by hand with a wider mode, as `mkdir` does.
 */
async function assertCanBeClosed(
  { path, facts }: Extract<PathEnd, { kind: 'there' }>,
  isOwnEntry: (name: string) => boolean,
): Promise<void> {
  const isWritable = await isOpenToOthers(facts, new Set([ROOT, facts.uid]));
  const others = isWritable
    ? []
    : (await onDisk('list the folder', () => readdir(path))).filter((name) => !isOwnEntry(name));
  if (!isWritable && others.length === 0) return;
  const why = isWritable ? 'so that others can write there' : `and holds what is not the worker's (${others[0]})`;
  const mend = isWritable ? `look at what lies in it, then chmod 700 ${path}` : `chmod 700 ${path}`;
  throw refused(
    `WORK_DIR ${path} has mode ${modeOf(facts)}, ${why}; it must be a folder for the worker alone, with mode 0700: ${mend}, or set WORK_DIR to another folder`,
  );
}

function unlessThere(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}
