import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stagesOf } from '../../../src/chain/stage-threads.ts';
import type { LanguageMethods } from '../../../src/chain/threads.ts';
import { ThreadClient, threadEntry } from '../../../src/inference/thread/thread-client.ts';
import { loadPack, type Pack } from '../../../src/packs/load-pack.ts';
import { preparePack } from '../../../src/preparation/prepare-pack.ts';
import { type CountingOptions, SESSION_COUNTS } from './session-counts.ts';

// What a session holds of the GPU's memory is given back by its release alone.

let folder: string;
let pack: Pack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thread-close-'));
  pack = await loadPack((await preparePack('models/demo', join(folder, 'pack'))).dir);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Sessions that are open when the thread is ready, and those that it has released when it is closed. */
async function sessionsOf(given: Pick<CountingOptions, 'entry' | 'stages'>): Promise<readonly number[]> {
  const bytes = SESSION_COUNTS.length * Int32Array.BYTES_PER_ELEMENT;
  const counts = new Int32Array(new SharedArrayBuffer(bytes));
  const { filePath: _paths, ...read } = pack;
  const options: CountingOptions = {
    pack: read,
    target: { device: 'cuda', threads: 1 },
    padding: true,
    batch: { detection: 2, people: 2, language: 2 },
    counts,
    ...given,
  };
  const thread = await ThreadClient.start<LanguageMethods>(
    'counting',
    threadEntry(import.meta.url, './counting-thread'),
    options,
  );
  const ready = [...counts];
  await thread.close();
  expect(ready).toEqual([counts[0], 0]);
  return [...counts];
}

test('a language thread that is closed releases the graph of the action and the model of the scene', async () => {
  // The graph of the action for one picture and for two, and the encoder, embeddings and decoder of the scene.
  expect(await sessionsOf({ entry: 'language-thread', stages: stagesOf(['language']) })).toEqual([5, 5]);
});

test('a language thread without local scene texts releases the graph of the action', async () => {
  expect(await sessionsOf({ entry: 'language-thread', stages: ['action'] })).toEqual([2, 2]);
});

test('a vision thread that is closed releases every model in every size', async () => {
  expect(await sessionsOf({ entry: 'vision-thread', stages: stagesOf(['frames', 'people']) })).toEqual([6, 6]);
});
