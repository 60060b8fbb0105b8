import { benchStage, STAGE_CASES, type StageCase } from '../../gpu/stage-cases.ts';
import { loadPack, type Pack } from '../../../../src/packs/load-pack.ts';
import { stageMeter } from '../../../../src/inference/stage-meter.ts';
import { countCandidates } from '../../gpu/candidates.ts';
import { countsArgument, requireArguments } from '../host/command-arguments.ts';
import { errorText, printLine } from '../host/json-lines.ts';
import { answerDetection } from './answers.ts';
import { counting, type Counts, COUNTS_VARIABLE } from './counts.ts';

// count.ts PACK [BATCHES] [STAGE,...], by `npm run gpu-kit -- null-cuda`: what the runs of every stage ask of the GPU. One JSON
// object a line: what opening the stage asks for, one run of each batch size after two others of the same size, and the execution plans
// of batch sizes in turn. The detector answers with as many candidates in every frame as a trained one.

const DEFAULT_BATCHES = '1,5,8';
/** Each size twice, with another one between. */
const IN_TURN = [2, 4, 2, 4];
const QUOTED = 400;

function countingOnly(): () => Counts {
  const counted = counting();
  if (counted === null) throw new Error(`${COUNTS_VARIABLE} is not set: npm run gpu-kit -- null-cuda sets it`);
  return counted;
}

/** One run, when two others of the size have been. */
async function countRun(open: StageCase, batch: number): Promise<object> {
  await open.run(batch);
  await open.run(batch);
  Object.assign(open.meter, stageMeter());
  const counted = countingOnly();
  const before = process.cpuUsage();
  await open.run(batch);
  const counts = counted();
  const used = process.cpuUsage(before);
  const cpuMs = Math.round((used.user + used.system) / 100) / 10;
  return { batch, runs: open.meter.runs, cpuMs, ...counts };
}

async function countPlans(open: StageCase, batch: number): Promise<object> {
  const counted = countingOnly();
  await open.run(batch);
  const { plans, convolutions } = counted();
  return { batch, plans, convolutions };
}

/** What the detector finds in the frames of such batches. */
async function foundIn(pack: Pack, batch: number): Promise<object> {
  await answerDetection(pack, [batch]);
  return { candidates: await countCandidates(pack, { device: 'cuda' }) };
}

async function countStage(pack: Pack, stage: string, batches: readonly number[]): Promise<void> {
  const openCase = STAGE_CASES[benchStage(stage)];
  const say = (line: object): void => printLine({ stage, ...line });
  const counted = countingOnly();
  const open = await openCase(pack, { device: 'cuda' });
  say({ open: counted() });
  for (const batch of batches) {
    try {
      const found = stage === 'detection' ? await foundIn(pack, batch) : {};
      say({ ...(await countRun(open, batch)), ...found });
    } catch (error) {
      say({ batch, error: errorText(error, QUOTED) });
    }
  }
  await open.release();
  // Another opening: the sizes above have left their plans.
  const fresh = await openCase(pack, { device: 'cuda' });
  try {
    const inTurn: object[] = [];
    for (const batch of IN_TURN) inTurn.push(await countPlans(fresh, batch));
    say({ inTurn });
  } catch (error) {
    say({ inTurn: IN_TURN, error: errorText(error, QUOTED) });
  }
  await fresh.release();
}

const args = process.argv.slice(2);
requireArguments(args, 1, 'count.ts PACK [BATCHES] [STAGE,...]');
const [dir = '', batchText = DEFAULT_BATCHES, only] = args;
const batches = countsArgument(batchText);
const pack = await loadPack(dir);
const stages = only?.split(',') ?? Object.keys(STAGE_CASES);
for (const stage of stages) await countStage(pack, stage, batches);
