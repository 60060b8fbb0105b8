/**
 * Times stages of the chain by themselves: milliseconds inside ONNX Runtime, of the whole stage and of the processor.
 *
 *     stages.ts PACK cuda|cpu ROUNDS STAGE=BATCHES...        such as detection=1,8 orientation=1,8,32
 */

import { type BenchStage, floorMs, peakTeraflops } from '../../gpu/arithmetic-floor.ts';
import { countCandidates } from '../../gpu/candidates.ts';
import { benchStage, STAGE_CASES, type StageCase } from '../../gpu/stage-cases.ts';
import { timeBatch } from '../../gpu/time-batch.ts';
import { answerDetection } from '../null-cuda/answers.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { countsArgument, deviceArgument, requireArguments } from './command-arguments.ts';
import { currentGpu } from '../../gpu/current-gpu.ts';
import { rounded } from '../../figures.ts';
import { errorText, printLine } from './json-lines.ts';

const args = process.argv.slice(2);
requireArguments(args, 4, 'stages.ts PACK cuda|cpu ROUNDS STAGE=BATCHES...');
const [dir = '', deviceText, roundText, ...wanted] = args;
const device = deviceArgument(deviceText);
const [rounds = 1] = countsArgument(roundText);
const stages = wanted.map(stageArgument);

const pack = await loadPack(dir);
const gpu = (await currentGpu())?.name ?? null;
const peak = peakTeraflops(gpu ?? '');

for (const [stage, batches] of stages) {
  try {
    await timeStage(stage, batches);
  } catch (error) {
    printLine({ stage, error: errorText(error) });
  }
}

function stageArgument(text: string): readonly [BenchStage, readonly number[]] {
  const [stage = '', batches] = text.split('=');
  return [benchStage(stage), countsArgument(batches)];
}

async function timeStage(stage: BenchStage, batches: readonly number[]): Promise<void> {
  const found = stage === 'detection' ? await foundIn(batches) : {};
  const began = performance.now();
  const open = await STAGE_CASES[stage](pack, { device });
  const openMs = Math.round(performance.now() - began);
  for (const batch of batches) {
    try {
      printLine({ gpu, stage, batch, openMs, ...found, ...(await figures(stage, open, batch)) });
    } catch (error) {
      printLine({ stage, batch, error: errorText(error) });
    }
  }
  await open.release();
}

/** What the detector finds in a frame before it suppresses. */
async function foundIn(batches: readonly number[]): Promise<object> {
  await answerDetection(pack, batches);
  return { candidates: await countCandidates(pack, { device }) };
}

async function figures(stage: BenchStage, open: StageCase, batch: number): Promise<object> {
  const { firstMs, runs, ...times } = await timeBatch(open, batch, rounds);
  return {
    firstMs: Math.round(firstMs),
    runs,
    ...Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, rounded(ms)])),
    itemsPerSecond: rounded((batch * 1000) / times.totalMs),
    shareOfPeak: peak === null ? null : rounded(floorMs(stage, batch, peak) / times.runMs),
    gpuMemoryMib: (await currentGpu())?.usedMib ?? null,
  };
}
