/**
 * Times a one-graph action model for several numbers of people, and compares its label scores with those of the project's own stage after
 * the first.
 *
 *     action-time.ts PREPARED-PACK GRAPH cuda|cpu [BATCHES]        BATCHES such as 8,16,32
 */

import type { InferenceSession } from 'onnxruntime-node';
import { syntheticScene } from '../../gpu/synthetic-scene.ts';
import { pictureArea, type PictureArea } from '../../../../src/vision/picture-area.ts';
import { canvasFeeds } from '../../../../src/chain/fastvlm/picture-canvas.ts';
import { openFastVlm } from '../../../harness/fast-vlm.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { openSession } from '../../../../src/inference/providers.ts';
import { stageMeter } from '../../../../src/inference/stage-meter.ts';
import { readFloats } from '../../../../src/inference/tensor.ts';

import { countsArgument, deviceArgument, requireArguments } from './command-arguments.ts';
import { rounded, timeRounds } from '../../figures.ts';
import { errorText, printLine } from './json-lines.ts';
import { createPixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';

const args = process.argv.slice(2);
requireArguments(args, 3, 'action-time.ts PREPARED-PACK GRAPH cuda|cpu [BATCHES]');
const [dir = '', graph = '', deviceText, batchText] = args;
const device = deviceArgument(deviceText);
const batches = countsArgument(batchText ?? (device === 'cuda' ? '8,1,5,16,32' : '1,2'));
const rounds = device === 'cuda' ? 12 : 2;

const pack = await loadPack(dir);
const { action, language } = pack.manifest;
const feeds = canvasFeeds(createPixelKernel(), language.imageSize);
const scene = syntheticScene();
const people = scene.detections.filter(({ class: kind }) => kind === 'person');
const crops = (count: number): readonly PictureArea[] =>
  Array.from({ length: Math.ceil(count / people.length) }, () => people)
    .flat()
    .slice(0, count)
    .map(({ box }) => pictureArea(scene.frame, box));

const began = performance.now();
const session = await openSession(graph, { device });
const openMs = Math.round(performance.now() - began);
for (const batch of batches) {
  try {
    printLine({ batch, openMs, ...(await timeBatch(session, crops(batch))) });
    if (batch === batches[0]) printLine(await compareScores(crops(batch)));
  } catch (error) {
    printLine({ batch, error: errorText(error, 800) });
  }
}
await session.release();

/** Asked for the first batch's number, for which the graph's convolutions are planned. */
async function compareScores(pictures: readonly PictureArea[]): Promise<object> {
  const scores = await labelScores(session, pictures);
  const own = await openFastVlm(pack, { target: { device }, padTo: [], action: stageMeter(), scene: stageMeter() });
  const readings = await own.readActions(pictures);
  await own.release();
  const differences = readings.flatMap((reading, row) =>
    reading.labelScores.map((score, i) => Math.abs(score - (scores[row * action.labels.length + i] ?? Number.NaN))),
  );
  return {
    largestDifference: Math.max(...differences),
    example: readings[0]?.labelScores.map((score) => Number(score.toFixed(3))),
  };
}

async function timeBatch(session: InferenceSession, pictures: readonly PictureArea[]): Promise<object> {
  const first = performance.now();
  await labelScores(session, pictures);
  const firstMs = Math.round(performance.now() - first);
  await labelScores(session, pictures);
  const { medianMs, cpuMs } = await timeRounds(() => labelScores(session, pictures), rounds);
  return {
    firstMs,
    ms: rounded(medianMs),
    peoplePerSecond: Math.round((pictures.length * 1000) / medianMs),
    cpuMs: rounded(cpuMs),
  };
}

/** One row of label scores for every picture, the pictures' preparation included. */
async function labelScores(session: InferenceSession, pictures: readonly PictureArea[]): Promise<Float32Array> {
  const { scores } = await session.run(feeds(pictures, pictures.length));
  if (scores === undefined) throw new Error(`${graph} gives no scores`);
  return readFloats(scores);
}
