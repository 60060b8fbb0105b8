import { readdir, rm, rmdir, stat } from 'node:fs/promises';
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
    if (Date.now() - (await stat(path)).mtimeMs < STALE_MS) return false;
    await rm(path + MEETING_SOCKET, { force: true });
    await rmdir(path);
    return true;
  } catch {
    // Of another user, or something else lies in it.
    return false;
  }
}
