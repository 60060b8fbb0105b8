import { accessSync, constants, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { codeOf } from '../failure/fields.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What a service manager has made for this service alone, the one for files that may be made again first. */
const OF_SYSTEMD = ['CACHE_DIRECTORY', 'RUNTIME_DIRECTORY'] as const;

/**
 * Where the files of the jobs are when nobody says: in the folder that systemd made for the service, or else in the user's own cache, or
 * else under a name of the user's own among the temporary files. Never under a name that all users share, which belongs to whoever came
 * first. A home that is not this user's, as `sudo` may leave it in HOME, is not used.
 */
export function defaultWorkDir(env: Variables): string {
  for (const name of OF_SYSTEMD) {
    // Several folders of one unit are separated by colons.
    const [first = ''] = (env[name] ?? '').split(':');
    // Below it, so that its mode is the unit's affair.
    if (isAbsolute(first)) return join(first, 'jobs');
  }
  const uid = process.geteuid?.() ?? 0;
  const cache = cachesOf(env).find((folder) => canMake(folder, uid));
  return cache === undefined ? join(tmpdir(), `video-worker-${uid}`) : join(cache, 'video-worker', 'jobs');
}

/** By the XDG base directory specification; a container whose user has no home says `/`. */
function cachesOf(env: Variables): readonly string[] {
  const { XDG_CACHE_HOME: cache = '', HOME: home = '' } = env;
  return [...(isAbsolute(cache) ? [cache] : []), ...(isAbsolute(home) && home !== '/' ? [join(home, '.cache')] : [])];
}

/** Whether the folder, or the nearest above it that is there, is this user's and can be written. */
function canMake(folder: string, uid: number): boolean {
  try {
    const facts = statSync(folder);
    if (facts.uid !== uid || !facts.isDirectory()) return false;
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    const isAbsent = codeOf(error) === 'ENOENT';
    return isAbsent && dirname(folder) !== folder && canMake(dirname(folder), uid);
  }
}
