import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { encodeOnnx, type OnnxModel, readOnnx } from '../../../src/graphs/onnx/onnx-model.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import type { PackManifest } from '../../../src/packs/pack-manifest.ts';
import { describeProblem } from '../../../src/packs/pack-problem.ts';
import { verifyPack } from '../../../src/packs/verify-pack.ts';
import type { ScoreComparison } from '../../../src/preparation/compare-actions.ts';
import { modelsReportLines, verifyModels } from '../../../src/preparation/verify-models.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

let folder: TemporaryFolder;
let dir: string;
let cases = 0;

beforeAll(async () => {
  folder = await temporaryFolder('verify-action');
});

beforeEach(async () => {
  dir = folder.at(`case-${++cases}`);
  await cp(await preparedPack('models/demo'), dir, { recursive: true });
});

afterAll(() => folder.remove());

async function rewrite(change: (manifest: PackManifest) => void): Promise<void> {
  const path = join(dir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as PackManifest;
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

async function replaceGraph(change: (model: OnnxModel) => void): Promise<void> {
  const path = join(dir, 'prepared_action.onnx');
  const model = await readOnnx(path);
  change(model);
  const bytes = encodeOnnx(model);
  await writeFile(path, bytes);
  await rewrite(({ prepared }) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    prepared!.action!.file = { path: 'prepared_action.onnx', sha256, bytes: bytes.length };
  });
}

const problems = async (): Promise<readonly string[]> =>
  (await verifyPack(await loadPack(dir), { hash: true, graphs: false })).map(describeProblem);

test('the scores of the graph are compared with those of the official models', async () => {
  const report = await verifyModels(dir, { device: 'cpu' });
  expect(report).toMatchObject({ ok: true, action: { bound: 1e-4 } });
  expect((report.action as ScoreComparison).worst).toBeLessThan(1e-5);
  expect(modelsReportLines(report)).toContainEqual(
    expect.stringMatching(
      /^ok {3}prepared\.action on the CPU: label scores within \S+ of the official models' \(bound 0\.0001\)$/,
    ),
  );
});

const linesOf = async (pack: string): Promise<readonly string[]> => {
  const report = await verifyModels(pack, { device: 'cpu' });
  expect(report.ok).toBe(true);
  return modelsReportLines(report).filter((line) => line.startsWith('--'));
};

test('a pack without the graph is fine, and told what to do for it', async () => {
  expect(await linesOf(dir)).toEqual([]);
  await rewrite(({ prepared }) => {
    delete prepared!.action;
  });
  expect(await linesOf(dir)).toEqual([
    `--   prepared.action: none; runs the plain way until the pack is prepared again: \`video-worker models prepare ${dir} --out NEW_FOLDER\``,
  ]);
  await rewrite(({ action }) => {
    action.mode = 'greedy';
  });
  expect(await linesOf(dir)).toEqual([]);
});

test('where no graph can be made, the reason is told and nothing advised', async () => {
  await rewrite(({ prepared }) => {
    delete prepared!.action;
    prepared!.notComposed = { action: 'its models do not fit into one graph' };
  });
  expect(await linesOf(dir)).toEqual([
    '--   prepared.action: none, runs the plain way: its models do not fit into one graph',
  ]);
});

test('a detector that is left aside is told, and what to do', async () => {
  await replaceDetector();
  expect(await linesOf(dir)).toEqual([
    expect.stringMatching(
      /^-- {3}prepared\.detection: left aside, since an earlier version made it; .* models prepare /,
    ),
  ]);
});

/** With other outputs, as an earlier version made it. */
async function replaceDetector(): Promise<void> {
  const path = join(dir, 'prepared_detection.onnx');
  const model = await readOnnx(path);
  const [output] = model.graph.output!;
  const before = output!.name;
  output!.name = 'boxes';
  const renamed = (names: readonly string[] = []) => names.map((name) => (name === before ? 'boxes' : name));
  for (const node of model.graph.node!) {
    Object.assign(node, { input: renamed(node.input), output: renamed(node.output) });
  }
  const bytes = encodeOnnx(model);
  await writeFile(path, bytes);
  await rewrite(({ prepared }) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    prepared!.detection!.file = { path: 'prepared_detection.onnx', sha256, bytes: bytes.length };
    prepared!.detection!.outputs.find(({ name }) => name === before)!.name = 'boxes';
  });
}

test('a pack that is not prepared is told how to prepare it', async () => {
  expect(await linesOf('models/demo')).toEqual([
    expect.stringMatching(
      /^-- {3}prepared: none; for a GPU: `video-worker models prepare .*models\/demo --out NEW_FOLDER`$/,
    ),
  ]);
});

test('scores that were not compared are told to be so, and why', async () => {
  await rewrite(({ orientation }) => {
    orientation.model.file.sha256 = '0'.repeat(64);
  });
  const report = await verifyModels(dir, { device: 'cpu' });
  expect(report.ok).toBe(false);
  expect(modelsReportLines(report)).toContain(
    '--   prepared.action: scores not compared: first mend what is wrong with orientation.onnx, prepared_orientation.onnx',
  );
});

test('other scores than those of the official models fail', async () => {
  await replaceGraph(({ graph }) => {
    graph.node!.at(-1)!.opType = 'Neg';
  });
  const report = await verifyModels(dir, { device: 'cpu' });
  expect(report).toMatchObject({ ok: false, action: null });
  expect(report.problems.map(describeProblem)).toEqual([
    expect.stringMatching(
      /^prepared_action\.onnx: scores: expected those of the official models within 0\.0001, found a difference of \d/,
    ),
  ]);
});

test('scores that are no numbers fail', async () => {
  await replaceGraph(({ graph }) => {
    graph.node!.at(-1)!.opType = 'Sqrt';
  });
  const report = await verifyModels(dir, { device: 'cpu' });
  expect(report.problems.map(describeProblem)).toEqual([expect.stringMatching(/found a difference of NaN$/)]);
});

test.each<readonly [string, (manifest: PackManifest) => void]>([
  ['question', ({ action }) => (action.question += ' Please.')],
  ['template', ({ language }) => (language.template += ' ')],
  ['system', ({ language }) => (language.system += ' ')],
  ['order of labels', ({ action }) => void action.labels.reverse()],
  ['normalisation', ({ action }) => (action.normalisation = 'length')],
  ['table of embeddings', ({ language }) => (language.embedTokens.file = language.decoder.file)],
  ['decoder', ({ language }) => (language.decoder.file = language.embedTokens.file)],
  ['file of weights', ({ language }) => (language.decoder.externalData = [language.embedTokens.file])],
  ['tokenizer', ({ language }) => (language.tokenizerConfig = language.tokenizer)],
])('a graph that was made for another %s is named', async (_, change) => {
  await rewrite(change);
  expect(await problems()).toEqual([
    expect.stringMatching(
      /^prepared_action\.onnx: prepared\.action: expected made from \S+, found made from \S+: prepare the pack again$/,
    ),
  ]);
});

test.each(['imageSize', 'imageTokens', 'imageTokenId'] as const)(
  'a graph that was made for another %s is named',
  async (field) => {
    await rewrite(({ language }) => (language[field] += 1));
    // The models and the tokenizer have a say in it, too.
    expect(await problems()).toContainEqual(
      expect.stringMatching(/^prepared_action\.onnx: prepared\.action: expected made from \S+, found made from \S+: /),
    );
  },
);

test('graphs that were made of another vision encoder are named, both of them', async () => {
  await rewrite(({ language }) => (language.visionEncoder.file = language.embedTokens.file));
  const stale = / expected made from \S+, found made from \S+: prepare the pack again$/;
  expect(await problems()).toEqual([expect.stringMatching(stale), expect.stringMatching(stale)]);
});

test('a graph for fewer labels is named', async () => {
  await rewrite(({ action }) => {
    action.labels.push('flying');
  });
  expect(await problems()).toContain('manifest.json: prepared.action.outputs.scores.shape.1: expected 8, found 7');
});

test('weights beyond the end of the official file are named', async () => {
  await replaceGraph(({ graph }) => {
    const tensor = graph.initializer!.find(
      ({ name, dataLocation }) => name!.startsWith('decoder/') && dataLocation === 1,
    );
    tensor!.externalData!.find(({ key }) => key === 'offset')!.value = '99999999';
  });
  const found = (await verifyPack(await loadPack(dir), { hash: true })).map(describeProblem);
  expect(found).toEqual([
    expect.stringMatching(
      /^prepared_action\.onnx: external data decoder_model_merged\.onnx: expected at least 1\d{8} bytes, found 422482 bytes$/,
    ),
  ]);
});
