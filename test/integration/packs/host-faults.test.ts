import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { InferenceSession } from 'onnxruntime-node';
import { loadTokenizer } from '../../../src/chain/fastvlm/prompt.ts';
import { openSession } from '../../../src/inference/providers.ts';
import { loadPack, type Pack } from '../../../src/packs/load-pack.ts';
import { assertPack, verifyPack } from '../../../src/packs/verify-pack.ts';
import { verifyModels } from '../../../src/preparation/verify-models.ts';
import { outcomesWithFewDescriptors } from '../../harness/few-descriptors.ts';
import { writeTinyPack, type TinyPack } from './tiny-pack.ts';

let pack: TinyPack;

beforeEach(async () => {
  pack = await writeTinyPack();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await rm(pack.dir, { recursive: true });
});

const source = (path: string): string => JSON.stringify(resolve('src', path));
const loading = (why: string): string => `Load model from ${join(pack.dir, 'detector.onnx')} failed:${why}`;

function refuseToOpen(text: string): void {
  const spy = jest.spyOn(InferenceSession, 'create') as unknown as jest.Mock<() => Promise<InferenceSession>>;
  spy.mockRejectedValue(new Error(text));
}

test.each([
  ['std::bad_alloc', 'HOST_OUT_OF_MEMORY'],
  ['mmap: Cannot allocate memory', 'HOST_OUT_OF_MEMORY'],
  ['system error number 24', 'HOST_FAULT'],
])('a host that lacks what a graph needs (%s) is no broken pack', async (why, code) => {
  refuseToOpen(loading(why));
  const thrown = expect.objectContaining({ code, message: expect.stringContaining(why) as unknown });
  await expect(assertPack(await loadPack(pack.dir), { hash: true })).rejects.toEqual(thrown);
  await expect(verifyModels(pack.dir, { device: 'cpu' })).rejects.toEqual(thrown);
});

test.each([
  ['cpu', 'Protobuf parsing failed: std::bad_alloc', 'HOST_OUT_OF_MEMORY'],
  ['cuda', 'Protobuf parsing failed: std::bad_alloc', 'HOST_OUT_OF_MEMORY'],
  ['cuda', 'Protobuf parsing failed: CUDA failure 2: out of memory', 'CUDA_OUT_OF_MEMORY'],
  ['cpu', 'Protobuf parsing failed.', 'PACK_BROKEN'],
  ['cuda', 'Protobuf parsing failed.', 'PACK_BROKEN'],
  ['cpu', 'an operator of another kind', 'PACK_BROKEN'],
] as const)('on %s, "%s" while a graph is opened is %s', async (device, why, code) => {
  refuseToOpen(loading(why));
  await expect(openSession('detector.onnx', { device })).rejects.toMatchObject({ code });
});

/** The pack, of which one file can be asked for so many times until there is no descriptor left. */
async function packThatRunsOut(path: string, asked: number): Promise<Pack> {
  const good = await loadPack(pack.dir);
  let left = asked;
  const filePath: Pack['filePath'] = (file) => {
    if (file.path !== path || left-- > 0) return good.filePath(file);
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', syscall: 'open', path });
  };
  return { ...good, filePath };
}

test.each([
  // Found there, and then read.
  ['tokenizer.json', 1],
  // Found there and asked for its opset, and then read for the weights that it names.
  ['detector.onnx', 2],
])('a file that cannot be opened for want of descriptors is no broken one: %s', async (path, asked) => {
  const thrown = expect.objectContaining({ code: 'HOST_FAULT' });
  await expect(verifyPack(await packThatRunsOut(path, asked), { hash: false })).rejects.toEqual(thrown);
});

/** What comes of reading in the pack's folder with few descriptors: codes of failures, or that it went well. */
function readWithFewDescriptors(imports: string, read: string, mostFree: number): Promise<unknown> {
  return outcomesWithFewDescriptors(join(pack.dir, 'few.mjs'), {
    setUp: imports,
    open: `async () => {
      try {
        await ${read};
        return 'in order';
      } catch (error) {
        return error.code;
      }
    }`,
    mostFree,
  });
}

test('with too few descriptors a good pack is never called broken', async () => {
  const imports = `import { loadPack } from ${source('packs/load-pack.ts')};
    import { assertPack } from ${source('packs/verify-pack.ts')};`;
  const read = `assertPack(await loadPack(${JSON.stringify(pack.dir)}), { hash: true })`;
  expect(await readWithFewDescriptors(imports, read, 4)).toEqual(['HOST_FAULT', 'in order']);
});

test('with too few descriptors a graph that is read has no fault', async () => {
  const imports = `import { readOnnx } from ${source('graphs/onnx/onnx-model.ts')};`;
  const read = `readOnnx(${JSON.stringify(join(pack.dir, 'detector.onnx'))})`;
  expect(await readWithFewDescriptors(imports, read, 2)).toEqual(['HOST_FAULT', 'in order']);
});

test('nor has the tokenizer', async () => {
  const { tokenizer } = (await loadPack(pack.dir)).manifest.language;
  await expect(loadTokenizer(await packThatRunsOut(tokenizer.path, 0))).rejects.toMatchObject({ code: 'HOST_FAULT' });
});
