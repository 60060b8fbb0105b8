import type { Stats } from 'node:fs';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../failure/failure.ts';
import { isGroupOf } from './private-group.ts';
import { codeOf } from '../failure/fields.ts';

/** What stands at the end of a path, or how far the path goes. */
export type PathEnd =
  | { readonly kind: 'there'; readonly path: string; readonly facts: Stats }
  | { readonly kind: 'absent'; readonly path: string; readonly parent: string; readonly first: string };

/** Whether the folders above one are looked at; `trusted` where nobody else can reach them, as the volumes of a pod. */
export type ParentTrust = 'checked' | 'trusted';

const ROOT = 0;
/** As many as Linux follows. */
const MOST_LINKS = 40;
const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;
const STICKY = 0o1000;

/**
 * Follows a path from `/` on and answers with where it ends, free of links: `path` holds for as long as this process lives. Throws
 * HOST_FAULT where somebody other than root and the user could put something else in its place. A folder is only as safe as those above
 * it: who may write one of them renames the next and makes another of the same name, whatever the mode of that next one is, and so
 * sends what is written as root to a file of his choice. It is what OpenSSH asks of the folders above `authorized_keys`, and systemd of
 * paths that it goes as root. The sticky bit, as /tmp has it, keeps others from renaming what is not theirs.
 */
export async function followSafely(path: string, uid: number, parents: ParentTrust): Promise<PathEnd> {
  const names = namesOf(resolve(path));
  let at = '/';
  let links = 0;
  const top = await lstat(at);
  if (names.length === 0) return { kind: 'there', path: at, facts: top };
  const trusted = await trustedOwners(uid, top.uid);
  const judging = { trusted, path, uid, parents };
  await assertParent(at, top, judging);
  for (;;) {
    const name = names.shift() ?? '.';
    const next = name === '..' ? dirname(at) : join(at, name);
    const facts = await factsOf(next, path);
    if (facts === null) return { kind: 'absent', path: join(next, ...names), parent: at, first: next };
    if (names.length === 0) return { kind: 'there', path: next, facts };
    if (facts.isSymbolicLink()) {
      links += 1;
      if (links > MOST_LINKS) throw refused(`WORK_DIR ${path} leads through more than ${MOST_LINKS} links`);
      if (!trusted.has(facts.uid)) throw strange(next, facts, judging);
      const target = await readlink(next);
      if (target.startsWith('/')) at = '/';
      names.unshift(...namesOf(target));
    } else {
      if (!facts.isDirectory()) throw refused(`WORK_DIR ${path} cannot be a folder: ${next} is a file`);
      await assertParent(next, facts, judging);
      at = next;
    }
  }
}

interface Judging {
  readonly trusted: ReadonlySet<number>;
  readonly path: string;
  readonly uid: number;
  readonly parents: ParentTrust;
}

async function assertParent(folder: string, facts: Stats, judging: Judging): Promise<void> {
  if (judging.parents === 'trusted') return;
  if (!judging.trusted.has(facts.uid)) throw strange(folder, facts, judging);
  if ((facts.mode & STICKY) !== 0 || !(await isOpenToOthers(facts, judging.trusted))) return;
  throw refused(
    `WORK_DIR ${judging.path} is not safe: ${folder} above it has mode ${modeOf(facts)}, so that others can put another folder in its ` +
      `place; only its owner may write there: chmod go-w ${folder} (or +t, as /tmp has it), set WORK_DIR to another folder, or, ` +
      `where nobody else can reach it, as the volume of a pod, set WORK_DIR_PARENTS=trusted`,
  );
}

function strange(entry: string, facts: Stats, { path, uid }: Judging): Failure {
  const what = facts.isSymbolicLink() ? 'the link' : 'the folder';
  return refused(
    `WORK_DIR ${path} is not safe: ${what} ${entry} on the way to it belongs to uid ${facts.uid}, who can put another folder in its ` +
      `place; it must belong to root or to uid ${uid}, as which this process runs: set WORK_DIR to another folder`,
  );
}

/** Whether others than these users may write it. An access list shows in the bits of the group. */
export async function isOpenToOthers({ mode, gid }: Stats, uids: ReadonlySet<number>): Promise<boolean> {
  if ((mode & OTHERS_WRITE) !== 0) return true;
  return (mode & GROUP_WRITES) !== 0 && !(await isGroupOf(gid, uids));
}

export function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** Something about the path that only whoever runs the worker can mend. */
export function refused(message: string, cause?: unknown): Failure {
  return new Failure('HOST_FAULT', message, cause === undefined ? {} : { cause });
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

async function factsOf(path: string, asked: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return null;
    if (code !== 'EACCES') throw error;
    throw refused(
      `WORK_DIR ${asked} cannot be reached: this user may not enter ${dirname(path)}; open it, or set WORK_DIR`,
      error,
    );
  }
}

/**
 * Root, the user, and whoever owns `/`, on the way to every folder: in a user namespace whose root is this user, as `unshare -r` makes it, that
 * is the root outside, who looks as if he were nobody. In one without a root of its own, what belongs to root looks like that, too: there is no
 * other way to any folder, and who is behind it cannot be seen from within.
 */
async function trustedOwners(uid: number, ownerOfTop: number): Promise<ReadonlySet<number>> {
  const map = await readFile('/proc/self/uid_map', 'utf8').catch(() => '');
  const first = map.split('\n').map((line) => Number(line.trim().split(/\s+/)[0] || Number.NaN));
  if (map === '' || first.includes(ROOT)) return new Set([ROOT, uid, ownerOfTop]);
  const nobody = await readFile('/proc/sys/kernel/overflowuid', 'utf8').catch(() => '65534');
  return new Set([ROOT, uid, ownerOfTop, Number(nobody)]);
}
