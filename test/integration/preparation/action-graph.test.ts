import { cp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readOnnx, toNumber, type OnnxTensor } from '../../../src/graphs/onnx/onnx-model.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { type LabelScores, scoreByGraph, scoreStepwise } from '../../../src/preparation/compare-actions.ts';
import { pictureArea, wholeArea, type PictureArea } from '../../../src/vision/picture-area.ts';
import { composedAction, type ComposedAction } from '../../harness/composed-action.ts';
import { exportTest } from '../../harness/export-test.ts';
import { readPicture } from '../../harness/golden-folder.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';
import { tinyExport } from '../../harness/tiny-export.ts';
import { goldenVlm, largestDifference, streetDir, streetTest } from '../chain/street-pack.ts';
import { blank, boxOf, pictureOf, somebody } from '../demo/pictures.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

/** Rounding in single precision with a small vocabulary, where other rows of a batch or another graph may change the order of additions. */
const ROUNDING = 1e-5;
const EXPORT_MS = 300_000;

let folder: TemporaryFolder;
let demo: ComposedAction;
beforeAll(async () => {
  folder = await temporaryFolder('action-graph');
  demo = await prepare('models/demo');
});
afterAll(() => folder.remove());

async function prepare(raw: string): Promise<ComposedAction> {
  const pack = await loadPack(await preparedPack(raw));
  return { pack, spec: pack.manifest.prepared!.action! };
}

/** People of the demo store as they are cut from their frames, and a picture without anybody. */
function people(): readonly PictureArea[] {
  const cut = [somebody({ action: 'walking' }), somebody({ action: 'paying', orientation: 90 })].map((person) =>
    pictureArea(pictureOf(person), boxOf(person)),
  );
  return [...cut, wholeArea(blank(300, 200))];
}

const differences = (found: LabelScores, expected: LabelScores): readonly number[] =>
  expected.map((scores, row) => largestDifference(found[row]!, scores));

/** The scores of the steps; each picture's own whatever else is in its batch. */
async function checkScores(
  { pack, spec }: ComposedAction,
  pictures: readonly PictureArea[],
  bound: number,
): Promise<void> {
  const expected = await scoreStepwise(pack, pictures);
  const together = await scoreByGraph(pack, spec, pictures);
  expect(together.map((scores) => scores.length)).toEqual(pictures.map(() => pack.manifest.action.labels.length));
  expect(Math.max(...differences(together, expected))).toBeLessThan(bound);
  expect(new Set(expected.map((scores) => scores.join())).size).toBe(pictures.length);

  const amongBlack = await scoreByGraph(pack, spec, pictures.slice(1), 4);
  expect(Math.max(...differences(amongBlack, together.slice(1)))).toBeLessThan(ROUNDING);
  const alone = await scoreByGraph(pack, spec, pictures.slice(0, 1));
  expect(Math.max(...differences(alone, together.slice(0, 1)))).toBeLessThan(ROUNDING);
}

test('the demo pack: one graph gives the scores of the steps, whatever else is in the batch', async () => {
  await checkScores(demo, people(), ROUNDING);
});

streetTest('the street pack: one graph gives the scores of the steps, and those of the reference', async () => {
  const prepared = await prepare('test/packs/street');
  await checkScores(prepared, people(), ROUNDING);
  const { crops } = goldenVlm();
  const pictures = await Promise.all(
    crops.slice(0, 3).map(async ({ png }) => wholeArea(await readPicture(join(streetDir, 'golden', png)))),
  );
  const { pack, spec } = prepared;
  const golden = crops
    .slice(0, 3)
    .map(({ labelLogProbs }) => pack.manifest.action.labels.map((label) => labelLogProbs[label]!.sum));
  expect(Math.max(...differences(await scoreByGraph(pack, spec, pictures), golden))).toBeLessThan(1e-3);
});

exportTest.each([
  ['fp32', ROUNDING],
  // What rounds in half precision is small in a model of two layers.
  ['fp16', 1e-3],
] as const)(
  'the official architectures in %s: one graph gives the scores of the steps',
  async (precision, bound) => {
    const raw = folder.at(precision);
    await cp(join(await tinyExport(), precision), raw, { recursive: true });
    await checkScores(await composedAction(raw), people(), bound);
  },
  EXPORT_MS,
);

test('weights stay in the official files, once for both copies of the decoder', async () => {
  const { pack, spec } = demo;
  const { graph } = await readOnnx(pack.filePath(spec.file));
  const tensors = graph.initializer!;
  expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);

  const { visionEncoder, decoder } = pack.manifest.language;
  expect(spec.externalData).toEqual([visionEncoder.file, decoder.file]);
  for (const [prefix, model] of [
    ['encoder', visionEncoder],
    ['decoder', decoder],
  ] as const) {
    const official = (await readOnnx(pack.filePath(model.file))).graph.initializer!;
    const own = tensors.filter(({ name }) => name!.startsWith(`${prefix}/`));
    expect(own.map(({ name }) => name)).toEqual(official.map(({ name }) => `${prefix}/${name}`));
    const outside = own.filter(({ dataLocation }) => dataLocation === 1);
    expect(new Set(outside.map(locationOf))).toEqual(new Set([model.file.path]));
    expect(sizeOf(outside)).toBeGreaterThan(0.8 * sizeOf(official));
  }
  // Besides the nodes only the prompt is inside.
  expect((await stat(pack.filePath(spec.file))).size).toBeLessThan(
    0.25 * (visionEncoder.file.bytes + decoder.file.bytes),
  );
});

function locationOf({ externalData }: OnnxTensor): string | undefined {
  return externalData!.find(({ key }) => key === 'location')?.value;
}

function sizeOf(tensors: readonly OnnxTensor[]): number {
  return tensors.reduce((sum, { dims = [] }) => sum + dims.reduce<number>((product, n) => product * toNumber(n), 1), 0);
}
