import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { preparePack } from '../../src/preparation/prepare-pack.ts';
import { onceIn, runFolder } from './once-in-run.ts';

/**
 * Folder of the prepared pack that is made of this one: once for all files of a run, since it takes a second. Nobody writes to it: who
 * changes something has a copy.
 */
export async function preparedPack(raw: string): Promise<string> {
  const name = createHash('sha256').update(resolve(raw)).digest('hex').slice(0, 16);
  return await onceIn(runFolder() ?? tmpdir(), `prepared-pack-${name}`, async (dir) => {
    await preparePack(raw, dir);
  });
}
