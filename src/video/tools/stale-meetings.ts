import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEETING_FOLDER, MEETING_SOCKET } from './socket-pair.ts';

/** A meeting takes milliseconds. */
const STALE_MS = 3_600_000;
/** As `mkdtemp` names them. */
const LETTERS = /^[A-Za-z0-9]{6}$/;

/**
 * Removes the folders in which two sockets were to meet when their process was killed; returns how many. Only those that are an hour old:
 * by its name alone nobody can tell whether a folder's process lives, which may be in another container.
 */
export async function removeStaleMeetings(folder: string = tmpdir()): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let removed = 0;
  for (const entry of entries) {
    const isMeeting =
      entry.isDirectory() &&
      entry.name.startsWith(MEETING_FOLDER) &&
      LETTERS.test(entry.name.slice(MEETING_FOLDER.length));
    if (isMeeting && (await isRemoved(join(folder, entry.name)))) removed += 1;
  }
  return removed;
}

async function isRemoved(path: string): Promise<boolean> {
  try {
    const { uid, mtimeMs } = await lstat(path);
    // Its owner could put another folder in its place between two looks, and have root remove a socket there.
    if (uid !== process.geteuid?.() || Date.now() - mtimeMs < STALE_MS) return false;
    const [first, ...others] = await readdir(path);
    if (first !== undefined) {
      const socket = path + MEETING_SOCKET;
      // A folder that only has the name of one keeps what it has.
      if (others.length > 0 || join(path, first) !== socket || !(await lstat(socket)).isSocket()) return false;
      await unlink(socket);
    }
    await rmdir(path);
    return true;
  } catch {
    // Of another user, or something else lies in it.
    return false;
  }
}
