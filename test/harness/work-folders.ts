import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCKED, UNLOCKED } from '../../src/storage/left-behind.ts';

/** The paths of what lies in WORK_DIR, but for the folders of workers themselves: of those, what lies in them. */
export async function filesInWorkDir(workDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(workDir)) {
    const path = join(workDir, name);
    const isOfWorker = name.startsWith(LOCKED) || name.startsWith(UNLOCKED);
    if (isOfWorker) found.push(...(await readdir(path)).map((inner) => join(path, inner)));
    else found.push(path);
  }
  return found;
}
