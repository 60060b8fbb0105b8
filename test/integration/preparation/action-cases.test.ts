import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { encodeOnnx, type OnnxModel, readOnnx } from '../../../src/graphs/onnx/onnx-model.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import type { ModelSpec, PackManifest } from '../../../src/packs/pack-manifest.ts';
import { unpreparedStages } from '../../../src/packs/unprepared-stages.ts';
import { verifyPack } from '../../../src/packs/verify-pack.ts';
import { compareActions } from '../../../src/preparation/compare-actions.ts';
import { preparedLines, preparePack } from '../../../src/preparation/prepare-pack.ts';
import { composedAction } from '../../harness/composed-action.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

/** What the order of additions may change where a sum over the vocabulary has few terms. */
const SMALL_VOCABULARY = 1e-5;

let folder: TemporaryFolder;
let raw: string;
let cases = 0;

beforeAll(async () => {
  folder = await temporaryFolder('action-cases');
});

beforeEach(async () => {
  raw = folder.at(`raw-${++cases}`);
  await cp('models/demo', raw, { recursive: true });
});

afterAll(() => folder.remove());

async function rewrite(change: (manifest: PackManifest) => void): Promise<void> {
  const path = join(raw, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as PackManifest;
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

/** Replaces a graph of the language model, and what the manifest says of its file. */
async function replaceGraph(
  field: 'visionEncoder' | 'embedTokens' | 'decoder',
  change: (model: OnnxModel) => OnnxModel,
  tensors: (spec: ModelSpec) => void = () => undefined,
): Promise<void> {
  const { language } = (await loadPack(raw)).manifest;
  const { path } = language[field].file;
  const bytes = encodeOnnx(change(await readOnnx(join(raw, path))));
  await writeFile(join(raw, path), bytes);
  await rewrite((manifest) => {
    const spec = manifest.language[field];
    spec.file = { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
    tensors(spec);
  });
}

/** Composes the action's graph and compares both ways; gives the operators of the graph. */
async function checkComposed(): Promise<readonly string[]> {
  const { pack, spec } = await composedAction(raw);
  return await checkScores(pack, spec);
}

async function checkScores(...[pack, spec]: Parameters<typeof compareActions>): Promise<readonly string[]> {
  const { worst, bound } = await compareActions(pack, spec);
  expect(bound).toBeLessThan(1e-3);
  expect(worst).toBeLessThan(SMALL_VOCABULARY);
  return (await readOnnx(pack.filePath(spec.file))).graph.node!.map(({ opType }) => opType);
}

test('labels of one token each need the decoder once', async () => {
  await rewrite(({ action }) => {
    action.labels = ['none', 'standing'].flatMap((label) => [label.slice(0, 1), label.slice(1, 2)]);
  });
  expect(await checkComposed()).not.toContain('ReduceSum');
});

test('labels of one token and of several stand beside each other', async () => {
  await rewrite(({ action }) => {
    action.labels = ['walking', 'n', 'walked far', 'standing'];
  });
  await checkComposed();
});

test('a score may be divided by the number of tokens', async () => {
  await rewrite(({ action }) => {
    action.normalisation = 'length';
  });
  expect(await checkComposed()).toContain('ReduceSum');
});

test.each(['<image>\n{question}<|im_end|>', '{question}<image>'])(
  'a prompt may have nothing before the picture, or nothing after it: %j',
  async (template) => {
    await rewrite(({ language }) => {
      language.template = template;
    });
    await checkComposed();
  },
);

test('answers in words are no reason against the graph', async () => {
  await rewrite(({ action }) => {
    action.mode = 'greedy';
  });
  await checkComposed();
});

test('the image token needs no embedding: features stand in its place', async () => {
  const { language } = (await loadPack(raw)).manifest;
  await replaceGraph('embedTokens', ({ graph, ...model }) => {
    const initializer = graph.initializer!.map((tensor) => {
      const [rows, width] = tensor.dims!.map(Number);
      if (rows !== 480) return tensor;
      // The last one, and so the first that is beyond a table without it.
      expect(language.imageTokenId).toBe(rows - 1);
      const rawData = tensor.rawData!.slice(0, (rows - 1) * width! * 4);
      return { ...tensor, dims: [rows - 1, width!], rawData };
    });
    return { ...model, graph: { ...graph, initializer } };
  });
  await checkComposed();
});

test('a decoder in a folder of its own keeps its weights in the file that it names', async () => {
  await mkdir(join(raw, 'decoder'));
  const data: Uint8Array[] = [];
  await replaceGraph('decoder', (model) => movedOut(model, data));
  const bytes = Buffer.concat(data);
  await rename(join(raw, 'decoder_model_merged.onnx'), join(raw, 'decoder/model.onnx'));
  await writeFile(join(raw, 'decoder/model.onnx.data'), bytes);
  await rewrite(({ language: { decoder } }) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    decoder.file.path = 'decoder/model.onnx';
    decoder.externalData = [{ path: 'decoder/model.onnx.data', sha256, bytes: bytes.length }];
  });
  // The whole way, since the files of the pack are copied and named anew.
  const out = folder.at(`out-${cases}`);
  await preparePack(raw, out);
  const pack = await loadPack(out);
  await checkScores(pack, pack.manifest.prepared!.action!);
});

/** The model with half of its larger weights in a file beside it. */
function movedOut(model: OnnxModel, data: Uint8Array[]): OnnxModel {
  let offset = 0;
  const initializer = model.graph.initializer!.map((tensor, index) => {
    const { rawData, ...rest } = tensor;
    if (rawData === undefined || rawData.length < 1024 || index % 2 === 0) return tensor;
    const entries = { location: 'model.onnx.data', offset, length: rawData.length };
    data.push(rawData);
    offset += rawData.length;
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value: String(value) }));
    return { ...rest, dataLocation: 1, externalData };
  });
  expect(offset).toBeGreaterThan(0);
  return { ...model, graph: { ...model.graph, initializer } };
}

test('inner graphs of the decoder see the weights that both copies share', async () => {
  await replaceGraph('decoder', (model) => {
    const [logits] = model.graph.output!;
    const node = model.graph.node!.find(({ output }) => output!.includes(logits!.name))!;
    node.output = node.output!.map((name) => (name === logits!.name ? 'plain logits' : name));
    const branch = (name: string, op: string) => ({
      name,
      node: [{ opType: op, input: ['plain logits', 'offset'], output: ['result'] }],
      output: [{ ...logits!, name: 'result' }],
    });
    // A weight of the whole model, which is too large to stay in the graph.
    const offset = new Float32Array(480).map((_, token) => token / 100);
    const initializer = { name: 'offset', dims: [480], dataType: 1, rawData: new Uint8Array(offset.buffer) };
    const yes = { name: 'yes', dims: [], dataType: 9, rawData: Uint8Array.of(1) };
    const choose = {
      opType: 'If',
      input: ['yes'],
      output: [logits!.name],
      attribute: [
        { name: 'then_branch', type: 5, g: branch('then', 'Add') },
        { name: 'else_branch', type: 5, g: branch('else', 'Sub') },
      ],
    };
    const { graph } = model;
    const weights = [...graph.initializer!, initializer, yes];
    return { ...model, graph: { ...graph, node: [...graph.node!, choose], initializer: weights } };
  });
  expect((await checkComposed()).filter((op) => op === 'If')).toHaveLength(2);
});

test.each<readonly [string, RegExp, () => Promise<void>]>([
  [
    'different operator sets',
    /do not fit into one graph: prompt: opset 17, expected 16/,
    () =>
      replaceGraph(
        'visionEncoder',
        (model) => ({ ...model, opsetImport: [{ domain: '', version: 16 }] }),
        (spec) => {
          spec.opset = 16;
        },
      ),
  ],
  [
    'functions of their own',
    /do not fit into one graph: prompt: the model defines functions of its own/,
    () =>
      replaceGraph('decoder', (model) => {
        const own = { domain: 'own', version: 1 };
        const standard = { domain: '', version: 17 };
        const node = [{ opType: 'Identity', input: ['x'], output: ['y'] }];
        const unused = { name: 'Unused', ...own, input: ['x'], output: ['y'], node, opsetImport: [standard] };
        return { ...model, functions: [unused], opsetImport: [standard, own] };
      }),
  ],
])('models with %s stay apart: the action runs the plain way, and that is said', async (_, reason, change) => {
  await change();
  const prepared = await preparePack(raw, folder.at(`out-${cases}`));
  expect(prepared.stages.at(-1)).toEqual({ stage: 'action', file: null, reason: expect.stringMatching(reason) });
  expect(preparedLines(prepared).at(-1)).toMatch(/^-- {3}action: runs the plain way: /);
  const { manifest } = await loadPack(prepared.dir);
  expect(manifest.prepared).not.toHaveProperty('action');
  // Who starts the worker is not told to prepare the pack again, in vain.
  expect(unpreparedStages(manifest)).toEqual([
    { stage: 'action', leftAside: false, reason: prepared.stages.at(-1)!.reason },
  ]);
});

test('a graph that ONNX Runtime refuses is left out, and the other stages have theirs', async () => {
  await replaceGraph('decoder', ({ graph, ...model }) => {
    // A branch that is never taken and could not be: in one graph the number of positions is known, and ONNX Runtime sees it.
    const branch = (name: string, op: string, input: readonly string[]) => ({
      name,
      node: [{ opType: op, input: [...input], output: ['result'] }],
      output: [{ name: 'result', type: { tensorType: { elemType: 1 } } }],
    });
    const offset = { name: 'many', dims: [1, 777, 1], dataType: 1, rawData: new Uint8Array(777 * 4) };
    const never = { name: 'never', dims: [], dataType: 9, rawData: Uint8Array.of(0) };
    const choose = {
      opType: 'If',
      input: ['never'],
      output: ['chosen'],
      attribute: [
        { name: 'then_branch', type: 5, g: branch('then', 'Add', ['inputs_embeds', 'many']) },
        { name: 'else_branch', type: 5, g: branch('else', 'Identity', ['inputs_embeds']) },
      ],
    };
    const weights = [...graph.initializer!, offset, never];
    return { ...model, graph: { ...graph, node: [choose, ...graph.node!], initializer: weights } };
  });
  const out = folder.at(`out-${cases}`);
  const { stages, fingerprint } = await preparePack(raw, out);
  expect(stages.map(({ file }) => file !== null)).toEqual([true, true, true, true, false]);
  expect(stages.at(-1)!.reason).toMatch(/^ONNX Runtime does not take its graph: .*Incompatible dimensions/);
  const pack = await loadPack(out);
  expect(await verifyPack(pack, { hash: true })).toEqual([]);
  expect(pack.manifest.prepared!.notComposed).toEqual({ action: stages.at(-1)!.reason });
  // Wherever it is prepared, it is the same pack.
  expect((await preparePack(raw, folder.at(`again-${cases}`))).fingerprint).toBe(fingerprint);
  expect(await readdir(out)).not.toContain('prepared_action.onnx');
});

test('labels that the stage itself cannot tell apart are refused', async () => {
  await rewrite(({ action }) => {
    action.labels = ['caf\u00e9', 'cafe\u0301'];
  });
  await expect(preparePack(raw, folder.at(`out-${cases}`))).rejects.toMatchObject({
    code: 'PACK_BROKEN',
    message: expect.stringMatching(/expected other tokens for/) as unknown,
  });
});
