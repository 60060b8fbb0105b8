import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openDetection } from '../../../src/chain/detection/open-detection.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';
import { encodeOnnx, parseOnnx, readOnnx, type OnnxModel } from '../../../src/graphs/onnx/onnx-model.ts';
import { originOf } from '../../../src/packs/origin-of.ts';
import type { PackManifest } from '../../../src/packs/pack-manifest.ts';
import { preparePack } from '../../../src/preparation/prepare-pack.ts';
import { unpreparedStages } from '../../../src/packs/unprepared-stages.ts';
import { assertPack, verifyPack } from '../../../src/packs/verify-pack.ts';
import { bothWays, constantDetector } from '../../harness/prepared-detector.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { pictureOf, somebody } from '../demo/pictures.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

let folder: string;
/** The demo pack, prepared once for the tests that change what came out. */
let ready: string;
let dir: string;
let raw: string;
let out: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prepare-'));
  ready = await preparedPack('models/demo');
});

beforeEach(async () => {
  dir = await mkdtemp(join(folder, 'case-'));
  raw = join(dir, 'raw');
  out = join(dir, 'out', 'pack');
  await cp('models/demo', raw, { recursive: true });
});

// However it ended: never half a pack.
afterEach(async () => {
  const left = await readdir(join(dir, 'out')).catch(() => []);
  expect(left.filter((name) => name !== 'pack')).toEqual([]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const read = async (pack: string): Promise<PackManifest> =>
  JSON.parse(await readFile(join(pack, 'manifest.json'), 'utf8')) as PackManifest;

async function rewrite(pack: string, change: (manifest: PackManifest) => void): Promise<void> {
  const manifest = await read(pack);
  change(manifest);
  await writeFile(join(pack, 'manifest.json'), JSON.stringify(manifest));
}

/** Replaces the raw pack's detector file and what the manifest says of it, but for its tensors. */
async function replaceDetector(bytes: Uint8Array, path = 'detector.onnx'): Promise<void> {
  await writeFile(join(raw, path), bytes);
  await rewrite(raw, ({ detection: { model } }) => {
    model.file = { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  });
}

test('a pack is prepared whole: its own files as they were, the graphs beside them, found in order', async () => {
  // An empty folder is as good as none.
  await mkdir(out, { recursive: true });
  const prepared = await preparePack(raw, out);
  expect(prepared.stages.map(({ file }) => file)).toEqual([
    'prepared_detection.onnx',
    'prepared_age_gender.onnx',
    'prepared_orientation.onnx',
    'prepared_vision_encoder.onnx',
    'prepared_action.onnx',
  ]);
  const pack = await loadPack(out);
  expect(pack.fingerprint).toBe(prepared.fingerprint);
  // The same pack gives the same files.
  expect(pack.fingerprint).toBe((await loadPack(ready)).fingerprint);
  expect(pack.fingerprint).not.toBe((await loadPack(raw)).fingerprint);
  expect(await verifyPack(pack, { hash: true })).toEqual([]);
  for (const name of (await readdir(raw)).filter((entry) => entry !== 'manifest.json')) {
    expect(Buffer.compare(await readFile(join(out, name)), await readFile(join(raw, name)))).toBe(0);
  }
  const { prepared: graphs, ...rest } = await read(out);
  expect(graphs).not.toHaveProperty('notComposed');
  expect(unpreparedStages(pack.manifest)).toEqual([]);
  expect(rest).toEqual(await read(raw));
  expect(graphs?.detection?.madeFrom).toBe(originOf(pack.manifest, 'detection'));
  // Whoever runs the worker may read it.
  expect((await stat(out)).mode).toBe((await stat(join(dir, 'out'))).mode);
});

test('of two that prepare into one folder at the same time, one wins and the other is refused', async () => {
  const settled = await Promise.allSettled([preparePack(raw, out), preparePack(raw, out)]);
  const refused = settled.filter((one) => one.status === 'rejected');
  expect(refused).toHaveLength(1);
  expect(refused[0]!.reason).toMatchObject({ code: 'CONFIG_INVALID' });
  expect(await verifyPack(await loadPack(out), { hash: true, graphs: false })).toEqual([]);
});

test('thresholds of the manifest keep their say in a prepared pack', async () => {
  await cp(ready, out, { recursive: true });
  const frame = pictureOf(somebody());
  const found = async (): Promise<number> => {
    const stages = await bothWays(await loadPack(out));
    const [detections] = await stages.prepared.run([frame]);
    expect([detections]).toEqual(await stages.plain.run([frame]));
    await stages.release();
    return detections!.length;
  };
  expect(await found()).toBe(2);
  await rewrite(out, ({ detection }) => {
    detection.maxDetections = 1;
  });
  expect(await found()).toBe(1);
  await rewrite(out, ({ detection }) => {
    detection.confidence = 0.999;
  });
  expect(await found()).toBe(0);
});

test('weights in a file beside the model stay there and are found from the prepared graph', async () => {
  await mkdir(join(raw, 'detector'));
  const model = await readOnnx(join(raw, 'detector.onnx'));
  const { model: external, data } = withExternalData(model);
  await replaceDetector(encodeOnnx(external), 'detector/model.onnx');
  await writeFile(join(raw, 'detector/model.onnx.data'), data);
  await rewrite(raw, ({ detection }) => {
    const sha256 = createHash('sha256').update(data).digest('hex');
    detection.model.externalData = [{ path: 'detector/model.onnx.data', sha256, bytes: data.length }];
  });
  await preparePack(raw, out);
  const prepared = await loadPack(out);
  expect(await verifyPack(prepared, { hash: true })).toEqual([]);
  const stages = await bothWays(await loadPack('models/demo'));
  const stage = await openDetection(prepared, stageOptions({ target: { device: 'cpu' }, limit: 4 }));
  const frame = pictureOf(somebody());
  expect(await stage.run([frame])).toEqual(await stages.plain.run([frame]));
  await stage.release();
  await stages.release();
});

/** The model with every larger weight in a file beside it. */
function withExternalData(model: OnnxModel): { readonly model: OnnxModel; readonly data: Uint8Array } {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const initializer = (model.graph.initializer ?? []).map((tensor) => {
    const bytes = tensor.rawData;
    if (bytes === undefined || bytes.length < 64) return tensor;
    const { rawData: _, ...rest } = tensor;
    const entry = { location: 'model.onnx.data', offset: String(offset), length: String(bytes.length) };
    parts.push(bytes);
    offset += bytes.length;
    const externalData = Object.entries(entry).map(([key, value]) => ({ key, value }));
    return { ...rest, dataLocation: 1, externalData };
  });
  expect(parts.length).toBeGreaterThan(0);
  return { model: { ...model, graph: { ...model.graph, initializer } }, data: Buffer.concat(parts) };
}

test('verifying names a prepared graph that was made from another model', async () => {
  await cp(ready, out, { recursive: true });
  const frame = parseOnnx(await readFile(join(out, 'detector.onnx')), 'detector');
  const changed = encodeOnnx({ ...frame, metadataProps: [{ key: 'names', value: 'other' }] });
  await writeFile(join(out, 'detector.onnx'), changed);
  const sha256 = createHash('sha256').update(changed).digest('hex');
  const before = originOf(await read(out), 'detection');
  await rewrite(out, ({ detection: { model } }) => {
    model.file = { ...model.file, sha256, bytes: changed.length };
  });
  expect(await verifyPack(await loadPack(out), { hash: true, graphs: false })).toEqual([
    {
      file: 'prepared_detection.onnx',
      field: 'prepared.detection',
      expected: `made from ${originOf(await read(out), 'detection')}`,
      found: `made from ${before}: prepare the pack again`,
    },
  ]);
});

const stale = async (): Promise<readonly string[]> =>
  (await verifyPack(await loadPack(out), { hash: false, graphs: false })).map(({ field }) => field);

test.each<readonly [string, readonly string[], (manifest: PackManifest) => void]>([
  ['another deviation', ['prepared.orientation'], ({ orientation }) => (orientation.std = [2, 2, 2])],
  [
    'another crop',
    ['prepared.orientation'],
    ({ orientation }) => (orientation.crop = orientation.crop === 'affine' ? 'resize' : 'affine'),
  ],
  ['another mean', ['prepared.ageGender'], ({ ageGender }) => (ageGender.mean = [9, 9, 9])],
  [
    'weights of the model beside it',
    ['prepared.ageGender'],
    ({ ageGender, orientation }) => (ageGender.model.externalData = [orientation.model.file]),
  ],
  [
    'another threshold',
    [],
    ({ detection, ageGender, orientation }) => {
      detection.confidence = 0.9;
      ageGender.avgAge += 1;
      orientation.scale *= 2;
    },
  ],
])('a manifest with %s: graphs that hold something else are named: %j', async (_, fields, change) => {
  await cp(ready, out, { recursive: true });
  await rewrite(out, change);
  expect(await stale()).toEqual(fields);
});

test('a pack of an earlier version, which noted the files of the models alone, goes on working', async () => {
  await cp(ready, out, { recursive: true });
  await rewrite(out, ({ prepared, detection, ageGender, orientation, language }) => {
    prepared!.detection!.madeFrom = detection.model.file.sha256;
    prepared!.ageGender!.madeFrom = ageGender.model.file.sha256;
    prepared!.orientation!.madeFrom = orientation.model.file.sha256;
    prepared!.visionEncoder!.madeFrom = language.visionEncoder.file.sha256;
  });
  expect(await stale()).toEqual([]);
  await rewrite(out, ({ ageGender, orientation }) => {
    ageGender.mean = [9, 9, 9];
    // Of another model it is told, then as now.
    orientation.model.file = ageGender.model.file;
  });
  expect(await stale()).toEqual(['prepared.orientation']);
});

test('a detector that was prepared with the suppression inside is left aside: its stage runs the plain way', async () => {
  await cp(ready, out, { recursive: true });
  await rewrite(out, ({ prepared }) => {
    const { outputs } = prepared!.detection!;
    prepared!.detection!.outputs = ['boxes', 'scores', 'places', 'finite'].map((name) => ({ ...outputs[0]!, name }));
  });
  const pack = await loadPack(out);
  await assertPack(pack, { hash: true, graphs: false });
  expect(unpreparedStages(pack.manifest)).toEqual([{ stage: 'detection', leftAside: true, reason: null }]);
  const [before, plain] = [
    await openDetection(pack, stageOptions()),
    await openDetection(await loadPack(raw), stageOptions()),
  ];
  const found = await before.run([pictureOf(somebody())]);
  expect(found[0]!.length).toBeGreaterThan(0);
  expect(found).toEqual(await plain.run([pictureOf(somebody())]));
  await before.release();
  await plain.release();
});

test('a prepared pack is prepared anew from its official models', async () => {
  await preparePack(ready, out);
  expect(await read(out)).toEqual(await read(ready));
});

test('verifying names a prepared graph that is damaged, gone or has other tensors', async () => {
  await cp(ready, out, { recursive: true });
  await rm(join(out, 'prepared_orientation.onnx'));
  const bytes = await readFile(join(out, 'prepared_detection.onnx'));
  await writeFile(join(out, 'prepared_detection.onnx'), bytes.fill(0, 100, 200));
  await rewrite(out, ({ prepared }) => {
    prepared!.ageGender!.inputs[0]!.name = 'windows';
  });
  const problems = await verifyPack(await loadPack(out), { hash: true });
  expect(problems.map(({ file, field }) => `${file} ${field}`).toSorted()).toEqual([
    'prepared_age_gender.onnx input pixels',
    'prepared_age_gender.onnx input windows',
    'prepared_detection.onnx sha256',
    'prepared_orientation.onnx file',
  ]);
});

test.each<readonly [string, RegExp, () => Promise<unknown>]>([
  ['a folder that is no pack', /raw\/manifest\.json cannot be read/, () => rm(join(raw, 'manifest.json'))],
  [
    'a manifest of something else',
    /not a pack manifest of format 1/,
    () => writeFile(join(raw, 'manifest.json'), '{}'),
  ],
  [
    'a file that is not what the manifest says',
    /detector\.onnx: size: expected \d+ bytes, found 3 bytes/,
    () => writeFile(join(raw, 'detector.onnx'), 'abc'),
  ],
  [
    'outputs that the manifest does not know',
    /detector\.onnx: output output0: expected to exist, found only logits/,
    async () => {
      const model = parseOnnx(constantDetector(new Float32Array(12), [1, 6, 2]).toBytes(), 'detector');
      const [node] = model.graph.node!.slice(-1);
      node!.output = ['logits'];
      model.graph.output![0]!.name = 'logits';
      await replaceDetector(encodeOnnx(model));
    },
  ],
  [
    'one picture at a time',
    /detector\.onnx cannot be prepared: expected images with a dynamic batch axis, found \[1, 3, 640, 640\]/,
    async () => {
      const graph = new GraphBuilder('single');
      const images = graph.input('images', 'float32', [1, 3, 640, 640]);
      const zeros = graph.node('Slice', [images, graph.ints([0, 0]), graph.ints([6, 2]), graph.ints([2, 3])]);
      const rows = graph.node('ReduceMean', [zeros], { axes: [1], keepdims: 0 });
      graph.output(rows, 'output0', 'float32', [1, 6, 2]);
      await replaceDetector(graph.toBytes());
      await rewrite(raw, ({ detection: { model } }) => {
        model.inputs[0]!.shape = [1, 3, 640, 640];
        model.outputs[0]!.shape = [1, 6, 2];
      });
    },
  ],
  [
    'a file with the name of a prepared one',
    /prepared_detection\.onnx has the name of a prepared graph; rename it/,
    async () => replaceDetector(await readFile(join(raw, 'detector.onnx')), 'prepared_detection.onnx'),
  ],
])('%s: refused', async (_, message, break_) => {
  await break_();
  await expect(preparePack(raw, out)).rejects.toMatchObject({
    code: 'PACK_BROKEN',
    message: expect.stringMatching(message) as unknown,
  });
  await expect(readdir(out)).rejects.toThrow('ENOENT');
});

test.each<readonly [string, RegExp, () => Promise<unknown>]>([
  [
    'a folder with something in it',
    /out\/pack is not empty/,
    async () => {
      await mkdir(out, { recursive: true });
      await writeFile(join(out, 'mine.txt'), 'mine');
    },
  ],
  [
    'a file in the place of the folder',
    /out\/pack cannot be written to/,
    async () => {
      await mkdir(join(dir, 'out'));
      await writeFile(out, 'mine');
    },
  ],
])('%s: refused as a mistake of the command', async (_, message, arrange) => {
  await arrange();
  await expect(preparePack(raw, out)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(message) as unknown,
  });
});
