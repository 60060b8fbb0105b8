import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { packModels } from '../../../src/packs/load-pack.ts';
import { packGraph } from '../../../src/packs/pack-graph.ts';
import { openModel, output } from '../../../src/inference/model.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { floatTensor, int64Tensor, readFloats } from '../../../src/inference/tensor.ts';
import { assertPack } from '../../../src/packs/verify-pack.ts';
import { largestDifference, loadStreet, streetDir, streetTest } from './street-pack.ts';

interface Ramp {
  readonly detector: {
    readonly shape: readonly [number, number];
    readonly meanPerRow: readonly number[];
    readonly bestAnchor: number;
    readonly bestColumn: readonly number[];
  };
  readonly ageGender: readonly number[];
  readonly orientation: readonly number[];
  readonly imageFeatures: { readonly mean: number; readonly first8: readonly number[] };
  readonly embedTokens: { readonly inputIds: readonly number[]; readonly first4: readonly (readonly number[])[] };
}

const ramp = (): Ramp => JSON.parse(readFileSync(join(streetDir, 'golden', 'ramp.json'), 'utf8')) as Ramp;

/** The graph's only output for x[i] = ((i * 7919) mod 1000) / 1000, batch 1. */
async function runRamp(field: string): Promise<{ values: Float32Array; dims: readonly number[] }> {
  const pack = await loadStreet();
  const model = await openModel(
    packGraph(
      pack,
      packModels(pack.manifest).find((m) => m.field === field)!,
    ),
    { device: 'cpu', threads: 1 },
  );
  const { name, shape } = model.spec.inputs[0]!;
  const dims = shape.map((n) => (typeof n === 'number' ? n : 1));
  const input = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7919) % 1000) / 1000);
  const outputs = await model.run({ [name]: floatTensor(model.inputType(name), input, dims) }, stageMeter());
  const tensor = output(outputs, model.spec.outputs[0]!.name, model);
  const result = { values: Float32Array.from(readFloats(tensor)), dims: tensor.dims };
  await model.release();
  return result;
}

const mean = (values: Float32Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;

streetTest('files and graphs are what the manifest says', async () => {
  await assertPack(await loadStreet(), { hash: true });
});

streetTest('the detector answers a ramp with the reference boxes', async () => {
  const expected = ramp().detector;
  const { values, dims } = await runRamp('detection.model');
  const [rows, anchors] = expected.shape;
  expect(dims).toEqual([1, rows, anchors]);
  const means = expected.meanPerRow.map((_, row) => mean(values.subarray(row * anchors, (row + 1) * anchors)));
  expect(largestDifference(means, expected.meanPerRow)).toBeLessThan(0.01);
  const best = expected.bestColumn.map((_, row) => values[row * anchors + expected.bestAnchor]!);
  expect(largestDifference(best.slice(0, 4), expected.bestColumn.slice(0, 4))).toBeLessThan(0.01);
  expect(largestDifference(best.slice(4), expected.bestColumn.slice(4))).toBeLessThan(1e-3);
});

streetTest('age, gender and orientation answer a ramp with the reference values', async () => {
  const expected = ramp();
  expect(largestDifference((await runRamp('ageGender.model')).values, expected.ageGender)).toBeLessThan(1e-3);
  expect(largestDifference((await runRamp('orientation.model')).values, expected.orientation)).toBeLessThan(1e-3);
});

streetTest('the vision encoder answers a ramp with the reference features', async () => {
  const expected = ramp().imageFeatures;
  const { values } = await runRamp('language.visionEncoder');
  expect(Math.abs(mean(values) - expected.mean)).toBeLessThan(1e-3);
  expect(largestDifference(values.subarray(0, 8), expected.first8)).toBeLessThan(1e-3);
});

streetTest('tokens have the reference embeddings', async () => {
  const { inputIds, first4 } = ramp().embedTokens;
  const pack = await loadStreet();
  const model = await openModel(packGraph(pack, packModels(pack.manifest)[4]!), { device: 'cpu', threads: 1 });
  const outputs = await model.run({ input_ids: int64Tensor(inputIds, [1, inputIds.length]) }, stageMeter());
  const tensor = output(outputs, 'inputs_embeds', model);
  const width = tensor.dims[2]!;
  const values = readFloats(tensor);
  const found = first4.flatMap((_, token) => [...values.subarray(token * width, token * width + 4)]);
  expect(largestDifference(found, first4.flat())).toBeLessThan(1e-3);
  await model.release();
});
