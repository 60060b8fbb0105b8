import { afterEach, expect, jest, test } from '@jest/globals';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import type { BatchLimits } from '../../../src/chain/stage.ts';
import type { ThreadOptions } from '../../../src/chain/threads.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { ThreadClient } from '../../../src/inference/thread/thread-client.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

/** The threads that a chain starts, by name, with the models that each opens. */
async function threadsOn(
  device: 'cpu' | 'cuda',
  given: { readonly localScenes?: boolean; readonly pipelines?: number } = {},
): Promise<readonly string[]> {
  const started: string[] = [];
  startOf().mockImplementation(async (name, _entry, { stages }) => {
    started.push(`${name}: ${stages.join(', ')}`);
    return {};
  });
  await createModelChain({
    pack: await loadPack('models/demo'),
    device,
    threads: { vision: 1, language: 1 },
    batch: { detection: 1, people: 1, language: 1 },
    localScenes: false,
    verifyHashes: false,
    ...given,
  });
  return started;
}

const OF_CUDA = ['detection: detection', 'people: ageGender, orientation', 'language: action'];

test('on CUDA the models of people run beside detection, in a thread of their own', async () => {
  expect(await threadsOn('cuda')).toEqual(OF_CUDA);
});

test('every pipeline has threads of its own', async () => {
  expect(await threadsOn('cuda', { pipelines: 2 })).toEqual([...OF_CUDA, ...OF_CUDA]);
});

test('on the CPU one thread has all models but those of the language', async () => {
  const threads = ['vision: detection, ageGender, orientation', 'language: action, scene'];
  expect(await threadsOn('cpu', { localScenes: true })).toEqual(threads);
});

test('where the GPU has no memory for the batches all is started again with smaller ones, and what was open is closed', async () => {
  const { started, warnings, closed, inVain } = await startWithMemoryFor(16, { detection: 8, people: 64, language: 8 });
  expect(started.map(({ people }) => people)).toEqual([64, 64, 64, 32, 32, 32, 16, 16, 16]);
  expect(new Set(started.map(({ detection, language }) => `${detection} ${language}`))).toEqual(new Set(['8 8']));
  expect(closed()).toBe(4);
  // What still starts in vain is told; all threads of a start by one number.
  expect(inVain).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0]);
  expect(warnings).toEqual([
    expect.stringContaining('PEOPLE_BATCH_SIZE=32;'),
    expect.stringContaining('PEOPLE_BATCH_SIZE=16;'),
  ]);
});

test('where not even batches of one have memory, and where they are to stay what they are, the start fails', async () => {
  const batch = { detection: 1, people: 2, language: 1 };
  await expect(startWithMemoryFor(0, batch)).rejects.toMatchObject({ code: 'CUDA_OUT_OF_MEMORY' });
  expect(startOf().mock.calls).toHaveLength(6);
  await expect(startWithMemoryFor(1, batch, true)).rejects.toMatchObject({ code: 'CUDA_OUT_OF_MEMORY' });
  expect(startOf().mock.calls).toHaveLength(9);
});

test('a failure that smaller batches do not mend stands, whichever thread meets the end of the memory before', async () => {
  startOf().mockImplementation(async (name) => {
    if (name === 'detection') throw new Failure('CUDA_OUT_OF_MEMORY', 'no memory');
    if (name === 'language') throw new Failure('PACK_BROKEN', 'no model');
    return { close: async () => undefined };
  });
  await expect(startWith({ detection: 8, people: 8, language: 8 })).rejects.toMatchObject({ code: 'PACK_BROKEN' });
  expect(startOf().mock.calls).toHaveLength(3);
});

test('a library that fails for no reason beside a thread without memory is started again, too; alone it stands', async () => {
  let isLibraryBroken = false;
  startOf().mockImplementation(async (name, _entry, { batch }) => {
    if (name === 'detection' && (isLibraryBroken || batch.people > 8)) throw new Failure('CUDA_ERROR', 'cuBLAS');
    if (name === 'people' && batch.people > 8) throw new Failure('CUDA_OUT_OF_MEMORY', 'no memory');
    return { close: async () => undefined };
  });
  await startWith({ detection: 8, people: 16, language: 8 });
  expect(startOf().mock.calls).toHaveLength(6);
  isLibraryBroken = true;
  await expect(startWith({ detection: 8, people: 16, language: 8 })).rejects.toMatchObject({ code: 'CUDA_ERROR' });
  expect(startOf().mock.calls).toHaveLength(12);
});

test('of threads without memory the first tells what it lacked memory for', async () => {
  const late = Promise.withResolvers<void>();
  startOf().mockImplementation(async (name) => {
    if (name === 'detection') await late.promise;
    if (name === 'people') setImmediate(late.resolve);
    throw new Failure('CUDA_OUT_OF_MEMORY', name);
  });
  await expect(startWith({ detection: 1, people: 1, language: 1 })).rejects.toMatchObject({ message: 'people' });
});

/** A chain on a GPU that has memory for so many people in a run. */
async function startWithMemoryFor(people: number, batch: BatchLimits, exactBatches = false) {
  const started: BatchLimits[] = [];
  const told: Int32Array[] = [];
  const warnings: string[] = [];
  const close = jest.fn(async () => undefined);
  startOf().mockImplementation(async (name, _entry, options) => {
    started.push(options.batch);
    told.push(options.inVain);
    if (name === 'people' && options.batch.people > people) throw new Failure('CUDA_OUT_OF_MEMORY', 'no memory');
    return { close };
  });
  const logger = { info: () => undefined, warn: (_fields: object, text: string) => warnings.push(text) };
  await startWith(batch, { exactBatches, logger });
  return { started, warnings, closed: () => close.mock.calls.length, inVain: told.map(([number]) => number) };
}

async function startWith(
  batch: BatchLimits,
  given: Pick<Parameters<typeof createModelChain>[0], 'exactBatches' | 'logger'> = {},
): Promise<void> {
  await createModelChain({
    pack: await loadPack('models/demo'),
    device: 'cuda',
    threads: { vision: 1, language: 1 },
    batch,
    localScenes: false,
    verifyHashes: false,
    ...given,
  });
}

type Start = (name: string, entry: URL, options: ThreadOptions) => Promise<object>;

function startOf(): jest.Mock<Start> {
  return jest.spyOn(ThreadClient, 'start') as unknown as jest.Mock<Start>;
}
