import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';

/**
 * A fresh database in memory. Making one takes initdb four seconds; its files are kept in the folder `keptIn`, and the next one
 * begins with them, in one. Where they cannot be kept, every one is made anew.
 */
export async function openFreshDatabase(pglite: Pick<typeof PGlite, 'create'>, keptIn: string): Promise<PGlite> {
  const file = join(keptIn, `embedded-postgres-${await version()}.tar`);
  const kept = await readFile(file).catch(() => null);
  if (kept !== null) return await pglite.create('memory://', { loadDataDir: new Blob([kept]) });
  const db = await pglite.create('memory://');
  await keep(await db.dumpDataDir('none'), file);
  return db;
}

async function keep(files: Blob, file: string): Promise<void> {
  // Whole or not at all, also when two processes make one at a time.
  const partial = `${file}.${randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(partial, new Uint8Array(await files.arrayBuffer()));
    await rename(partial, file);
  } catch {
    await rm(partial, { force: true }).catch(() => {});
  }
}

/** Files of another version are not this one's. */
async function version(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const manifest = JSON.parse(await readFile(join(dirname(entry), '../package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
