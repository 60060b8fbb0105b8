import { lstat, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FolderLocks } from './folder-lock.ts';
import { ownUid } from './private-folder.ts';
import { isWorkspace } from './workspace.ts';

/** How the folder of one worker is called, with six letters of `mkdtemp`: one that holds a lock, and one that can have none. */
export const LOCKED = 'worker-';
export const UNLOCKED = 'unlocked-';

/** Of what others left in WORK_DIR. */
export interface LeftBehind {
  /** Folders of workers that are gone. */
  readonly removed: number;
  /** Folders that may be in use for all that can be seen from here. */
  readonly kept: readonly string[];
}

const LETTERS = '[A-Za-z0-9]{6}$';
const OF_WORKER = new RegExp(`^${LOCKED}${LETTERS}`);
const OF_UNLOCKED = new RegExp(`^${UNLOCKED}${LETTERS}`);
/** Of an earlier version, in which each job had its folder in WORK_DIR, with the process id and the start of its worker. */
const OF_PROCESS = /^job-(\d+)-(\d+)-/;

/** The namespace of process ids in which a machine starts has this number, and every process of the machine is seen in it. */
const FIRST_NAMESPACE = 'pid:[4026531836]';
/** The longest that a job of that version could run. */
const LONGEST_JOB_MS = 43_200_000;

/** Whether the worker makes such names in WORK_DIR; a disk of its own has another one from its file system. */
export function isOwnEntry(name: string): boolean {
  return name === 'lost+found' || isOfWorker(name);
}

function isOfWorker(name: string): boolean {
  return OF_WORKER.test(name) || OF_UNLOCKED.test(name) || OF_PROCESS.test(name);
}

/** Removes the folders of workers that are gone from a folder that only this user can write. Rejects where it cannot be listed. */
export async function removeLeftBehind(root: string, locks: FolderLocks): Promise<LeftBehind> {
  const isSeen = await locks.areSeen(root);
  let removed = 0;
  const kept: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (!entry.isDirectory() || !isOfWorker(entry.name)) continue;
    const answer = await removeIfLeft(path, entry.name, isSeen ? locks : null).catch(() => 'unknown' as const);
    if (answer === 'removed') removed += 1;
    if (answer === 'unknown') kept.push(entry.name);
  }
  return { removed, kept };
}

type Answer = 'removed' | 'in use' | 'unknown';

/** `locks`: null where those of others cannot be seen. */
async function removeIfLeft(path: string, name: string, locks: FolderLocks | null): Promise<Answer> {
  if (locks === null || OF_UNLOCKED.test(name)) return 'unknown';
  const facts = await lstat(path).catch(() => null);
  // Somebody else who starts was quicker.
  if (facts === null) return 'in use';
  if (facts.uid !== ownUid()) return 'unknown';
  const process = OF_PROCESS.exec(name);
  if (process !== null) {
    const answer = await processOf(process, facts.mtimeMs);
    if (answer === 'gone') await rm(path, { recursive: true, force: true });
    return answer === 'gone' ? 'removed' : answer;
  }
  const lock = await locks.take(path);
  if (lock === 'unknown') return 'unknown';
  if (lock === 'held' || lock === 'gone') return 'in use';
  // Under its lock, so that of two who start one removes it.
  await using _held = lock;
  // A name of six letters can be anybody's, as `worker-backup` is: what else lies in it was not put there by a worker.
  const others = (await readdir(path, { withFileTypes: true })).filter((entry) => !isWorkspace(entry));
  if (others.length > 0) return 'unknown';
  await rm(path, { recursive: true, force: true });
  return 'removed';
}

/**
 * Of a folder of the former form. A process id of another container says nothing here: only in the first namespace, or when no job can
 * run any more that began when the folder was last changed, is its process known to be gone.
 */
async function processOf([, pid, start]: RegExpExecArray, mtimeMs: number): Promise<'gone' | 'in use' | 'unknown'> {
  if ((await startedAt(Number(pid))) === start) return 'in use';
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return namespace === FIRST_NAMESPACE || Date.now() - mtimeMs > LONGEST_JOB_MS ? 'gone' : 'unknown';
}

/** When a process started, in clock ticks since boot, as one opaque word; '0' when there is no such process. */
async function startedAt(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (line === null) return '0';
  // The command name may hold spaces and brackets: fields are counted from the last bracket. Start time is field 22.
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}
