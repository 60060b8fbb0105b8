import { resolve } from 'node:path';
import { STAGE_CASES, type StageCase } from '../../../../scripts/bench/gpu/stage-cases.ts';
import { loadPack, type Pack } from '../../../../src/inference/load-pack.ts';
import { stageMeter } from '../../../../src/inference/stage-meter.ts';
import { countsArgument, requireArguments } from '../host/command-arguments.ts';
import { errorText, printLine } from '../host/json-lines.ts';
import { loadKoffi, openLibrary } from '../host/koffi.ts';

// count.ts PACK [BATCHES] [STAGE,...]: what the runs of every stage ask of the GPU, with the stand-ins of build.ts on
// LD_LIBRARY_PATH and the CUDA provider in node_modules. One JSON object a line: what opening the stage asks for, one run of
// each batch size after two others of the same size, and the execution plans of batch sizes in turn. KIT_DIR is the folder that holds
// ffi/, by default the one that holds the project. NULL_FOUND=84 pretends that the suppression found as many candidates (batches
// of one and two then fail: their check of the numbers has the same size).

/** As the stand-in for the CUDA runtime prints them. */
interface Counts extends Readonly<Record<string, number>> {
  readonly plans: number;
  readonly convolutions: number;
}

interface Counter {
  reset(): void;
  read(): Counts;
}

const DEFAULT_BATCHES = '1,5,8';
/** Each size twice, with another one between. */
const IN_TURN = [2, 4, 2, 4];
const QUOTED = 400;

function openCounter(): Counter {
  const kit = process.env['KIT_DIR'] ?? resolve(import.meta.dirname, '../../../../..');
  const runtime = openLibrary(loadKoffi(kit), 'libcudart.so.13');
  const [reset, counts] = [runtime.func('void null_reset()'), runtime.func('const char *null_counts()')];
  return { reset, read: () => JSON.parse(String(counts())) as Counts };
}

/** One run, when two others of the size have been. */
async function countRun(counter: Counter, open: StageCase, batch: number): Promise<object> {
  await open.run(batch);
  await open.run(batch);
  counter.reset();
  Object.assign(open.meter, stageMeter());
  const before = process.cpuUsage();
  await open.run(batch);
  const used = process.cpuUsage(before);
  const cpuMs = Math.round((used.user + used.system) / 100) / 10;
  return { batch, runs: open.meter.runs, cpuMs, ...counter.read() };
}

async function countPlans(counter: Counter, open: StageCase, batch: number): Promise<object> {
  counter.reset();
  await open.run(batch);
  const { plans, convolutions } = counter.read();
  return { batch, plans, convolutions };
}

async function countStage(counter: Counter, pack: Pack, stage: string, batches: readonly number[]): Promise<void> {
  const openCase = Object.entries(STAGE_CASES).find(([name]) => name === stage)?.[1];
  if (openCase === undefined) throw new Error(`${stage} is no stage; there are ${Object.keys(STAGE_CASES).join(', ')}`);
  const say = (line: object): void => printLine({ stage, ...line });
  counter.reset();
  const open = await openCase(pack, { device: 'cuda' });
  say({ open: counter.read() });
  for (const batch of batches) {
    try {
      say(await countRun(counter, open, batch));
    } catch (error) {
      say({ batch, error: errorText(error, QUOTED) });
    }
  }
  await open.release();
  // Another opening: the sizes above have left their plans.
  const fresh = await openCase(pack, { device: 'cuda' });
  try {
    const inTurn: object[] = [];
    for (const batch of IN_TURN) inTurn.push(await countPlans(counter, fresh, batch));
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
const counter = openCounter();
const pack = await loadPack(dir);
const stages = only?.split(',') ?? Object.keys(STAGE_CASES);
for (const stage of stages) await countStage(counter, pack, stage, batches);
