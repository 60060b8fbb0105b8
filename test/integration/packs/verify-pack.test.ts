import { appendFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { describeProblem } from '../../../src/packs/pack-problem.ts';
import type { PackProblem } from '../../../src/packs/pack-problem.ts';
import { modelsReportLines, verifyModels } from '../../../src/preparation/verify-models.ts';
import { assertPack, verifyPack } from '../../../src/packs/verify-pack.ts';
import { at, writeTinyPack } from './tiny-pack.ts';
import type { TinyPack } from './tiny-pack.ts';

let pack: TinyPack;

beforeEach(async () => {
  pack = await writeTinyPack();
});

afterEach(() => rm(pack.dir, { recursive: true }));

async function problems(): Promise<readonly PackProblem[]> {
  await pack.save();
  return verifyPack(await loadPack(pack.dir), { hash: true });
}

describe('files', () => {
  test('a pack that is what its manifest says has no problems', async () => {
    expect(await problems()).toEqual([]);
  });

  test('a missing file is named with its path', async () => {
    await rm(join(pack.dir, 'orientation.onnx'));
    const [problem, ...others] = await problems();
    expect(problem).toMatchObject({
      file: 'orientation.onnx',
      field: 'file',
      expected: join(pack.dir, 'orientation.onnx'),
    });
    expect(others).toEqual([]);
  });

  test('a truncated file is named with both sizes', async () => {
    const { bytes } = at(pack.manifest, 'detection', 'model', 'file') as { bytes: number };
    await truncate(join(pack.dir, 'detector.onnx'), 20);
    expect(await problems()).toEqual([
      { file: 'detector.onnx', field: 'size', expected: `${bytes} bytes`, found: '20 bytes' },
    ]);
  });

  test('a wrong hash is named with both hashes, and refuses', async () => {
    const wrong = 'f'.repeat(64);
    at(pack.manifest, 'ageGender', 'model', 'file')['sha256'] = wrong;
    const [problem] = await problems();
    expect(problem).toMatchObject({ file: 'age_gender.onnx', field: 'sha256', expected: wrong });
    await expect(assertPack(await loadPack(pack.dir), { hash: true })).rejects.toMatchObject({
      code: 'PACK_BROKEN',
      message: expect.stringMatching(new RegExp(`age_gender\\.onnx: sha256: expected ${wrong}, found [0-9a-f]{64}`)),
      details: { file: 'age_gender.onnx', problems: 1 },
    });
    expect(await verifyPack(await loadPack(pack.dir), { hash: false })).toEqual([]);
  });

  test('a path may not leave the pack', async () => {
    at(pack.manifest, 'detection', 'model', 'file')['path'] = '../../etc/hostname';
    expect((await problems())[0]).toMatchObject({ file: '../../etc/hostname', field: 'path' });
  });

  test('several problems are all told', async () => {
    await rm(join(pack.dir, 'orientation.onnx'));
    await appendFile(join(pack.dir, 'detector.onnx'), 'x');
    expect((await problems()).map((p) => p.file)).toEqual(['detector.onnx', 'orientation.onnx']);
  });
});

describe('graphs', () => {
  test('a wrong tensor name is named with what exists', async () => {
    at(pack.manifest, 'detection', 'model', 'inputs', 0)['name'] = 'image';
    expect((await problems()).map(describeProblem)).toEqual([
      'detector.onnx: input image: expected to exist, found only images',
      'detector.onnx: input images: expected to be named in the manifest, found missing there',
    ]);
  });

  test('a wrong element type, shape and opset', async () => {
    at(pack.manifest, 'ageGender', 'model', 'inputs', 0)['dtype'] = 'float16';
    at(pack.manifest, 'ageGender', 'model', 'outputs', 0)['shape'] = ['n', 4];
    at(pack.manifest, 'orientation', 'model')['opset'] = 18;
    expect((await problems()).map(describeProblem)).toEqual([
      'manifest.json: ageGender.model.outputs.0.shape.1: expected 3, found 4',
      'age_gender.onnx: input input type: expected float16, found float32',
      'age_gender.onnx: output output shape: expected [n, 4], found [n, 3]',
      'orientation.onnx: opset: expected 18, found 17',
    ]);
  });

  test('an axis that must be dynamic may not be fixed in the graph', async () => {
    at(pack.manifest, 'detection', 'model', 'inputs', 0)['shape'] = ['n', 3, 'height', 8];
    expect((await problems()).map(describeProblem)).toEqual([
      'manifest.json: detection.model.inputs.0.shape: expected a fixed height and width, found height and 8',
      'detector.onnx: input images shape: expected [n, 3, height, 8], found [n, 3, 8, 8]',
    ]);
  });

  test('a file that is no ONNX model', async () => {
    const file = at(pack.manifest, 'language', 'decoder', 'file');
    await writeFile(join(pack.dir, 'decoder_model_merged.onnx'), 'not a graph');
    file['bytes'] = 11;
    const found = await verifyPack(await reload(), { hash: false });
    expect(found[0]).toMatchObject({ file: 'decoder_model_merged.onnx', field: 'graph', expected: 'an ONNX model' });
  });

  test('a tokenizer without the special tokens', async () => {
    at(pack.manifest, 'language')['imageTokenId'] = 7;
    at(pack.manifest, 'language')['stopTokenIds'] = [9];
    expect((await problems()).map(describeProblem)).toEqual([
      'tokenizer.json: special token: expected 7 = <image>, found none',
      'tokenizer.json: special token: expected 9 as a stop token, found none',
    ]);
  });
});

describe('the manifest', () => {
  test('is refused with every wrong field', async () => {
    at(pack.manifest, 'detection')['confidence'] = 2;
    at(pack.manifest, 'action')['labels'] = ['sitting', 'sitting'];
    await pack.save();
    await expect(loadPack(pack.dir)).rejects.toMatchObject({
      code: 'PACK_BROKEN',
      message: expect.stringMatching(/detection\.confidence[\s\S]*action\.labels/),
    });
  });

  test('is refused when it is missing or not JSON', async () => {
    await expect(loadPack(join(pack.dir, 'nowhere'))).rejects.toMatchObject({ code: 'PACK_BROKEN' });
    await writeFile(join(pack.dir, 'manifest.json'), '{');
    await expect(loadPack(pack.dir)).rejects.toThrow(/manifest\.json is not JSON/);
  });

  test('changes the fingerprint with any file that it names', async () => {
    const before = await loadPack(pack.dir);
    at(pack.manifest, 'detection', 'model', 'file')['sha256'] = 'a'.repeat(64);
    const after = await reload();
    expect(after.fingerprint).not.toBe(before.fingerprint);
  });
});

async function reload(): ReturnType<typeof loadPack> {
  await pack.save();
  return loadPack(pack.dir);
}

describe('verifyModels', () => {
  test('tells the tensors of a good pack and the problems of a broken one', async () => {
    const good = await verifyModels(pack.dir, { device: 'cpu' });
    expect(good).toMatchObject({ ok: true, cuda: null, problems: [] });
    expect(modelsReportLines(good)).toContain(
      'ok   detection.model: detector.onnx images float32[n,3,8,8] -> output0 float32[n,6,4]',
    );
    await rm(join(pack.dir, 'detector.onnx'));
    const broken = await verifyModels(pack.dir, { device: 'cpu' });
    expect(broken.ok).toBe(false);
    expect(modelsReportLines(broken).filter((line) => line.startsWith('FAIL')).length).toBe(2);
  });

  test('reports a manifest that cannot be read as a problem', async () => {
    expect(await verifyModels(join(pack.dir, 'nowhere'), { device: 'cpu' })).toMatchObject({
      ok: false,
      pack: null,
      problems: [{ file: 'manifest.json' }],
    });
  });
});
