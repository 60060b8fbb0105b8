import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { tinyExport } from '../../harness/tiny-export.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

export interface TinyPack {
  /** The official architectures scaled down, with random weights, in fp16 as exported. */
  readonly raw: string;
  /** The same as a GPU gets them; for every file of a run, and so to be read alone. */
  readonly prepared: string;
  /** For files of the test. */
  readonly folder: string;
}

const EXPORT_MS = 300_000;

/** Makes the pack before the tests of a file and removes it after them; gives it while they run. */
export function useTinyPack(): () => TinyPack {
  let folder: string | undefined;
  let pack: TinyPack | undefined;

  beforeAll(async () => {
    const raw = join(await tinyExport(), 'fp16');
    folder = await mkdtemp(join(tmpdir(), 'cuda-pack-'));
    pack = { raw, prepared: await preparedPack(raw), folder };
  }, EXPORT_MS);

  afterAll(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  return () => {
    if (pack === undefined) throw new Error('the pack is made before the tests, not before their file is read');
    return pack;
  };
}
