import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CONV_PROBE_MODEL } from '../../../src/inference/conv-probe-model.ts';
import { readOpset } from '../../../src/graphs/onnx/onnx-opset.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'opset-'));
});

afterAll(() => rm(dir, { recursive: true }));

async function opsetOf(bytes: Uint8Array): Promise<number | null> {
  const path = join(dir, 'model.onnx');
  await writeFile(path, bytes);
  return readOpset(path);
}

test('the default operator set is found after the graph', async () => {
  expect(await opsetOf(CONV_PROBE_MODEL)).toBe(17);
});

test('another domain is passed over', async () => {
  // opset_import { domain: "x" version: 3 } opset_import { version: 300 }
  expect(await opsetOf(Uint8Array.of(0x42, 5, 0x0a, 1, 0x78, 0x10, 3, 0x42, 3, 0x10, 0xac, 2))).toBe(300);
});

test.each([
  ['no bytes', []],
  ['a length beyond the end', [0x3a, 200, 1, 0]],
  ['a wire type that does not exist', [0x07, 1]],
  ['a number without an end', [0x80, 0x80]],
])('%s have no operator set', async (_, bytes) => {
  expect(await opsetOf(Uint8Array.from(bytes))).toBeNull();
});
