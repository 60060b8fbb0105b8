import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import type { ModelChain } from '../../../src/chain/model-chain.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { at, writeTinyPack } from '../packs/tiny-pack.ts';
import type { TinyPack } from '../packs/tiny-pack.ts';

let pack: TinyPack;

beforeEach(async () => {
  pack = await writeTinyPack();
});

afterEach(() => rm(pack.dir, { recursive: true }));

async function open(): Promise<ModelChain> {
  await pack.save();
  return createModelChain({
    pack: await loadPack(pack.dir),
    device: 'cpu',
    threads: { vision: 1, language: 1 },
    batch: { detection: 1, people: 1, language: 1 },
    localScenes: true,
  });
}

test('a wrong hash refuses to start and names the file', async () => {
  at(pack.manifest, 'orientation', 'model', 'file')['sha256'] = '0'.repeat(64);
  await expect(open()).rejects.toMatchObject({
    code: 'PACK_BROKEN',
    class: 'system',
    message: expect.stringMatching(/orientation\.onnx: sha256: expected 0+, found [0-9a-f]{64}/),
  });
});

test('a wrong tensor name refuses to start, from the thread that opened the graph', async () => {
  at(pack.manifest, 'detection', 'model', 'inputs', 0)['name'] = 'picture';
  await expect(open()).rejects.toMatchObject({
    code: 'PACK_BROKEN',
    message: expect.stringContaining('detector.onnx: input picture: expected to exist, found only images'),
    details: { file: 'detector.onnx', field: 'detection.model' },
  });
});

test('a tokenizer that is none refuses to start, from the language thread', async () => {
  await expect(open()).rejects.toMatchObject({
    code: 'PACK_BROKEN',
    message: expect.stringContaining('tokenizer.json'),
  });
});
