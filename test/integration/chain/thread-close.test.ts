import { beforeAll, expect, test } from '@jest/globals';
import { stagesOf } from '../../../src/chain/stage-threads.ts';
import type { LanguageMethods } from '../../../src/chain/threads.ts';
import { ThreadClient, threadEntry } from '../../../src/inference/thread/thread-client.ts';
import { loadPack, type Pack } from '../../../src/packs/load-pack.ts';
import { type CountingOptions, SESSION_COUNTS } from './session-counts.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

// What a session holds of the GPU's memory is given back by its release alone.

let pack: Pack;

beforeAll(async () => {
  pack = await loadPack(await preparedPack('models/demo'));
});

/** Sessions that are open when the thread is ready, and those that it has released when it is closed. */
async function sessionsOf(given: Pick<CountingOptions, 'entry' | 'stages'>): Promise<readonly number[]> {
  const { counts, thread } = startCounting(given);
  const started = await thread;
  const ready = [...counts];
  await started.close();
  expect(ready).toEqual([counts[0], 0]);
  return [...counts];
}

function startCounting(given: Pick<CountingOptions, 'entry' | 'stages'> & Partial<CountingOptions>): {
  readonly counts: Int32Array;
  readonly thread: Promise<ThreadClient<LanguageMethods>>;
} {
  const bytes = SESSION_COUNTS.length * Int32Array.BYTES_PER_ELEMENT;
  const counts = new Int32Array(new SharedArrayBuffer(bytes));
  const { filePath: _paths, ...read } = pack;
  const options: CountingOptions = {
    pack: read,
    target: { device: 'cuda', threads: 1 },
    padding: true,
    batch: { detection: 2, people: 2, language: 2 },
    inVain: new Int32Array(new SharedArrayBuffer(4)),
    counts,
    ...given,
  };
  const entry = threadEntry(import.meta.url, './counting-thread');
  return { counts, thread: ThreadClient.start<LanguageMethods>('counting', entry, options) };
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

test.each([
  // The scene's, which are opened before anything is warmed, and the first of the action.
  { entry: 'language-thread', stages: stagesOf(['language']), opened: 4 },
  { entry: 'vision-thread', stages: stagesOf(['frames', 'people']), opened: 3 },
] as const)('a $entry whose start is in vain warms no size', async ({ opened, ...given }) => {
  const { counts, thread } = startCounting({ ...given, inVain: new Int32Array(new SharedArrayBuffer(4)).fill(1) });
  await expect(thread).rejects.toMatchObject({ code: 'CUDA_OUT_OF_MEMORY' });
  expect(counts[0]).toBe(opened);
});
