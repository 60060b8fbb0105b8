/**
 * Times the prepared graph of the action model for several numbers of people, and after the first the same model step by step, whose
 * label scores it compares.
 *
 *     action-time.ts PREPARED-PACK cuda|cpu [BATCHES]        BATCHES such as 8,16,32
 */

import { openPreparedActions } from '../../../../src/chain/action/prepared-actions.ts';
import { openActions } from '../../../../src/chain/action/read-actions.ts';
import { sharedVisionLanguage } from '../../../../src/chain/fastvlm/vision-language.ts';
import type { Reading } from '../../../../src/chain/language-stage.ts';
import type { ActionReading } from '../../../../src/chain/model-chain.ts';
import { stageMeter } from '../../../../src/inference/stage-meter.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { pictureArea, type PictureArea } from '../../../../src/vision/picture-area.ts';
import { createPixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';
import { syntheticScene } from '../../gpu/synthetic-scene.ts';
import { type BatchTiming, timeBatch } from '../../gpu/time-batch.ts';
import { rounded } from '../../figures.ts';
import { countsArgument, deviceArgument, requireArguments } from './command-arguments.ts';
import { errorText, printLine } from './json-lines.ts';

const QUOTED = 800;

const args = process.argv.slice(2);
requireArguments(args, 2, 'action-time.ts PREPARED-PACK cuda|cpu [BATCHES]');
const [dir = '', deviceText, batchText] = args;
const device = deviceArgument(deviceText);
const batches = countsArgument(batchText ?? (device === 'cuda' ? '8,1,5,16,32' : '1,2'));
const rounds = device === 'cuda' ? 12 : 2;

const pack = await loadPack(dir);
const spec = pack.manifest.prepared?.action;
if (spec === undefined) throw new Error(`${dir} has no graph of the action model: prepare the pack again`);
const meter = stageMeter();
const options = { target: { device }, padTo: [], limit: Math.max(...batches), meter, kernel: createPixelKernel() };
const scene = syntheticScene();
const people = scene.detections.filter(({ class: kind }) => kind === 'person');
const crops = (count: number): readonly PictureArea[] =>
  Array.from({ length: Math.ceil(count / people.length) }, () => people)
    .flat()
    .slice(0, count)
    .map(({ box }) => pictureArea(scene.frame, box));

const began = performance.now();
const graph = await openPreparedActions(pack, spec, options);
const openMs = Math.round(performance.now() - began);
for (const batch of batches) {
  try {
    printLine({ batch, openMs, ...(await figures(graph, batch)) });
    if (batch === batches[0]) printLine({ batch, steps: await compareSteps(batch) });
  } catch (error) {
    printLine({ batch, error: errorText(error, QUOTED) });
  }
}
await graph.release?.();

async function figures(reading: Reading<ActionReading>, batch: number): Promise<object> {
  const open = { meter, run: (count: number) => reading.read(crops(count)), release: async () => undefined };
  const { firstMs, runs, runMs, totalMs, cpuMs }: BatchTiming = await timeBatch(open, batch, rounds);
  return {
    firstMs: Math.round(firstMs),
    runs,
    runMs: rounded(runMs),
    ms: rounded(totalMs),
    peoplePerSecond: Math.round((batch * 1000) / totalMs),
    cpuMs: rounded(cpuMs),
  };
}

/** The model's other way: how long it takes, and how far its scores are from the graph's. */
async function compareSteps(batch: number): Promise<object> {
  const shared = sharedVisionLanguage(pack, options);
  const steps = await openActions(pack, { ...options, visionLanguage: shared.get });
  const times = await figures(steps, batch);
  const [expected, found] = [await steps.read(crops(batch)), await graph.read(crops(batch))];
  await shared.release();
  const differences = expected.flatMap(({ labelScores }, row) =>
    labelScores.map((score, i) => Math.abs(score - (found[row]?.labelScores[i] ?? Number.NaN))),
  );
  return {
    ...times,
    largestDifference: Math.max(...differences),
    example: found[0]?.labelScores.map((score) => Number(score.toFixed(3))),
  };
}
