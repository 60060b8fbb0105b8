import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import { openFreshDatabase } from '../../../../src/persistence/embedded/fresh-database.ts';

const folder = mkdtempSync(join(tmpdir(), 'fresh-database-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Stands for PGlite: remembers with which files each database began. */
class Maker {
  readonly began: (string | null)[] = [];

  readonly create = async (_dataDir?: unknown, options: PGliteOptions = {}): Promise<PGlite> => {
    this.began.push((await options.loadDataDir?.text()) ?? null);
    return { dumpDataDir: async () => new Blob(['the files']) } as unknown as PGlite;
  };
}

test('the first database is made and its files are kept: the next one begins with them', async () => {
  const maker = new Maker();
  const keptIn = join(folder, 'not there', 'yet');
  await openFreshDatabase(maker as never, keptIn);
  await openFreshDatabase(maker as never, keptIn);
  expect(maker.began).toEqual([null, 'the files']);
  expect(readdirSync(keptIn)).toEqual([expect.stringMatching(/^embedded-postgres-\d+\.\d+\.\d+\.tar$/)]);
});

test('where the files cannot be kept, each database is made anew', async () => {
  const maker = new Maker();
  const file = join(folder, 'no folder');
  writeFileSync(file, '');
  await openFreshDatabase(maker as never, file);
  await openFreshDatabase(maker as never, file);
  expect(maker.began).toEqual([null, null]);
});
