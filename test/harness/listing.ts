import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Each entry below a folder with its owner, mode, size and time of change: what any change of any of them would show in. */
export async function listing(folder: string): Promise<string[]> {
  const names = ['.', ...(await readdir(folder, { recursive: true })).toSorted()];
  return await Promise.all(
    names.map(async (name) => {
      const { mode, uid, gid, size, mtimeMs, ctimeMs, ino } = await lstat(join(folder, name));
      return [name, ino, mode.toString(8), uid, gid, size, mtimeMs, ctimeMs].join(' ');
    }),
  );
}
