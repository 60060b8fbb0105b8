import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { findLimiter } from './limited-command.ts';

/** Many times what a decoder has: one thread for each of its threads, and some for reading and for filters. */
export const MOST_TASKS = 512;

/** Linux counts tasks in each user namespace apart. Before, all that the worker's user had anywhere would have counted. */
const COUNTED_APART_SINCE = { major: 5, minor: 14 };

const OWN_LIMITS = '/proc/self/limits';

/**
 * What, as the first command in a sandbox, limits how many processes and threads there are in it together, for good; nothing where that
 * cannot be, or where the worker's own limit is lower and is inherited.
 */
export async function taskLimit(
  kernel: string = release(),
  readLimits: () => Promise<string> = () => readFile(OWN_LIMITS, 'utf8'),
): Promise<readonly string[]> {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  const { major: sinceMajor, minor: sinceMinor } = COUNTED_APART_SINCE;
  const isCountedApart = major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
  const limiter = isCountedApart ? await findLimiter() : null;
  if (limiter === null) return [];
  const inherited = /^Max processes +\S+ +(\S+)/m.exec(await readLimits().catch(() => ''))?.[1];
  // Nobody without rights may raise it.
  const mayBeSet = inherited === 'unlimited' || Number(inherited) >= MOST_TASKS;
  return mayBeSet ? [limiter, `--nproc=${MOST_TASKS}:${MOST_TASKS}`, '--'] : [];
}
