/**
 * Sets the detector's threshold in the manifests of packs with random weights, so that about as many anchors of the benchmark's frame pass
 * it as with a trained detector. Otherwise thousands may, and the detector's time would be that of the suppression.
 *
 *     calibrate.ts cuda|cpu PACK... [--candidates 60]        the first pack's detector is asked, its threshold goes into all
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { syntheticScene } from '../../gpu/synthetic-scene.ts';
import { pictureTensors } from '../../../../src/chain/picture-tensor.ts';
import { loadPack, type Pack } from '../../../../src/packs/load-pack.ts';
import { packGraph } from '../../../../src/packs/pack-graph.ts';
import { openModel, output } from '../../../../src/inference/model.ts';
import { specOf } from '../../../../src/packs/spec-of.ts';
import type { ExecutionTarget } from '../../../../src/inference/providers.ts';
import { stageMeter } from '../../../../src/inference/stage-meter.ts';
import { floatTensor, readFloats } from '../../../../src/inference/tensor.ts';
import { wholeArea } from '../../../../src/vision/picture-area.ts';
import { countsArgument, deviceArgument, requireArguments } from './command-arguments.ts';
import { printLine } from './json-lines.ts';
import { createPixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';

const { values, positionals } = parseArgs({
  options: { candidates: { type: 'string', default: '60' } },
  allowPositionals: true,
});
requireArguments(positionals, 2, 'calibrate.ts cuda|cpu PACK... [--candidates 60]');
const [wanted = 60] = countsArgument(values.candidates);
const [deviceText, ...dirs] = positionals;
const device = deviceArgument(deviceText);

const pack = await loadPack(dirs[0] ?? '');
const before = pack.manifest.detection.confidence;
const best = await bestScores(pack, { device });
const threshold = Math.min(0.999, best.toSorted()[best.length - wanted - 1] ?? 0);
for (const dir of dirs) await setThreshold(dir, threshold);
printLine({
  anchors: best.length,
  candidatesBefore: passing(before),
  thresholdBefore: before,
  threshold,
  candidates: passing(threshold),
});

function passing(limit: number): number {
  return best.filter((score) => score > limit).length;
}

/** The highest score of any class for every anchor, on the benchmark's frame. */
async function bestScores(pack: Pack, target: ExecutionTarget): Promise<Float32Array> {
  const spec = specOf(pack.manifest, 'detection', 'yolov8');
  const { input, out, height, width } = pictureTensors(spec.model);
  const planes = createPixelKernel().planes({ width, height });
  planes.reserve(1);
  planes.letterbox(0, wholeArea(syntheticScene().frame), spec.letterboxFill);
  const model = await openModel(packGraph(pack, { field: 'detection.model', spec: spec.model }), target);
  const tensor = floatTensor(model.inputType(input.name), planes.view(1), [1, 3, height, width]);
  const found = output(await model.run({ [input.name]: tensor }, stageMeter()), out.name, model);
  const [scores, anchors = 0] = [readFloats(found), found.dims[2]];
  await model.release();
  // Four lines of box edges stand before the classes'.
  const classLines = spec.classes.map((_, line) => scores.subarray((4 + line) * anchors, (5 + line) * anchors));
  return Float32Array.from({ length: anchors }, (_, i) => Math.max(...classLines.map((line) => line[i] ?? 0)));
}

async function setThreshold(dir: string, confidence: number): Promise<void> {
  const path = join(dir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { readonly detection: { confidence: number } };
  manifest.detection.confidence = confidence;
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
}
