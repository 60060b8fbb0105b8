import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isCarried } from '../../bench/gpu-kit/pieces.ts';

const HOST = 'test/bench/gpu-kit/host';
const LOCAL_IMPORT = /(?:from|import\() ?'(\.[^']+)'/g;

/** Every file that these scripts load, themselves included. */
async function loadedBy(scripts: readonly string[]): Promise<ReadonlySet<string>> {
  const loaded = new Set(scripts);
  for (const file of loaded) {
    for (const [, path = ''] of (await readFile(file, 'utf8')).matchAll(LOCAL_IMPORT)) {
      loaded.add(join(dirname(file), path));
    }
  }
  return loaded;
}

test('everything that the scripts of the GPU host load goes there with them', async () => {
  const scripts = (await readdir(HOST)).filter((name) => name.endsWith('.ts')).map((name) => join(HOST, name));
  const loaded = [...(await loadedBy(scripts))];
  expect(loaded.length).toBeGreaterThan(scripts.length);
  expect(loaded.filter((file) => !existsSync(file))).toEqual([]);
  expect(loaded.filter((file) => !isCarried(file))).toEqual([]);
});
