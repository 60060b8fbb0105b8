import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { preparePack } from '../../src/preparation/prepare-pack.ts';

/**
 * Folder of the prepared pack that is made of this one: once for all files of a run, since it takes a second. Nobody writes to it: who
 * changes something has a copy.
 */
export async function preparedPack(raw: string): Promise<string> {
  const name = createHash('sha256').update(resolve(raw)).digest('hex').slice(0, 16);
  const dir = join(process.env['TEST_RUN_FOLDER'] ?? tmpdir(), 'prepared-packs', name);
  if (existsSync(dir)) return dir;
  try {
    await preparePack(raw, dir);
  } catch (error) {
    // It appears whole: another file was faster.
    if (!existsSync(dir)) throw error;
  }
  return dir;
}
