import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder of this run of the tests, which all its processes share; null where no run of the tests is it that asks. */
export function runFolder(): string | null {
  return process.env['TEST_RUN_FOLDER'] ?? null;
}

/**
 * The path of a file or folder that is made once and kept in a folder, for whoever asks by this name later. It appears there whole or not at
 * all: where several make it at the same time, one of them stays.
 */
export async function onceIn(folder: string, name: string, make: (path: string) => Promise<void>): Promise<string> {
  const kept = join(folder, name);
  if (existsSync(kept)) return kept;
  // Beside it, since relative paths may lead out of it, and with its name's ending, which may say what it is.
  const partial = join(folder, `${randomUUID()}-${name}`);
  try {
    await make(partial);
    await rename(partial, kept);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(kept)) throw error;
  }
  return kept;
}
