import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDetection } from '../../../src/chain/detection/open-detection.ts';
import { pictureTensors } from '../../../src/chain/picture-tensor.ts';
import { openModel, output } from '../../../src/inference/model.ts';
import type { ExecutionTarget } from '../../../src/inference/providers.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { floatTensor, readFloats } from '../../../src/inference/tensor.ts';
import type { Pack } from '../../../src/packs/load-pack.ts';
import { packGraph } from '../../../src/packs/pack-graph.ts';
import { specOf } from '../../../src/packs/spec-of.ts';
import { createPixelKernel } from '../../../src/vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../../../src/vision/picture-area.ts';
import { syntheticScene } from './synthetic-scene.ts';

/** Anchors of a frame above the threshold, about what a trained detector has on a street with some people. */
export const CANDIDATES = 60;

/** More than any detector has anchors. */
const MOST = 30_000;

/**
 * Boxes that the pack's detector finds in the benchmark's frame before any is suppressed. A detector with random weights may find thousands: then
 * its time is that of the suppression.
 */
export async function countCandidates(pack: Pack, target: ExecutionTarget): Promise<number> {
  const { detection } = pack.manifest;
  // No overlap is more than all.
  const all = detection.adapter === 'yolov8' ? { ...detection, iou: 1 } : detection;
  const manifest = { ...pack.manifest, detection: { ...all, maxDetections: MOST } };
  const options = { target, padTo: [], limit: 1, meter: stageMeter(), kernel: createPixelKernel() };
  const stage = await openDetection({ ...pack, manifest }, options);
  try {
    const [found] = await stage.run([syntheticScene().frame]);
    return found?.length ?? 0;
  } finally {
    await stage.release();
  }
}

/** What a threshold was and has become. */
interface Calibration {
  readonly anchors: number;
  readonly candidatesBefore: number;
  readonly thresholdBefore: number;
  readonly threshold: number;
  readonly candidates: number;
}

/**
 * Sets the detector's threshold in the manifests of packs with one detector, the pack's own among them, so that about as many anchors of the
 * benchmark's frame pass it as wanted. Random weights give numbers that mean nothing, and any number of them above a threshold.
 */
export async function calibrateThreshold(
  pack: Pack,
  target: ExecutionTarget,
  options: { readonly dirs?: readonly string[]; readonly wanted?: number } = {},
): Promise<Calibration> {
  const { dirs = [pack.dir], wanted = CANDIDATES } = options;
  const thresholdBefore = pack.manifest.detection.confidence;
  const best = await bestScores(pack, target);
  const passing = (limit: number): number => best.filter((score) => score > limit).length;
  const threshold = thresholdFor(best, wanted);
  for (const dir of dirs) await setThreshold(dir, threshold);
  return {
    anchors: best.length,
    candidatesBefore: passing(thresholdBefore),
    thresholdBefore,
    threshold,
    candidates: passing(threshold),
  };
}

/** Above it are as many scores as wanted; where more have the greatest one, which 16 bits cannot tell apart, all of those. */
function thresholdFor(scores: Float32Array, wanted: number): number {
  const falling = scores.toSorted().reverse();
  const most = falling[0] ?? 0;
  const threshold = falling[wanted] ?? 0;
  return threshold < most ? threshold : (falling.find((score) => score < most) ?? 0);
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
