import { afterEach, expect, jest, test } from '@jest/globals';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import type { ThreadOptions } from '../../../src/chain/threads.ts';
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
  const start = jest.spyOn(ThreadClient, 'start') as unknown as jest.Mock<
    (name: string, entry: URL, options: ThreadOptions) => Promise<object>
  >;
  start.mockImplementation(async (name, _entry, { stages }) => {
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
