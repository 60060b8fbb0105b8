import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { batchesArgument, loadsArgument } from './gpu-kit/host/chain-arguments.ts';
import { CHAIN_WORK, type ChainFigures } from './gpu-kit/host/chain-load.ts';
import { fetchStandIns, type StandIns, standInVariables } from './gpu-kit/null-cuda/stand-ins.ts';
import { rounded } from './figures.ts';
import { randomModels } from './gpu/random-models.ts';
import { thisMachine } from './machine.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  pack: { type: 'string' },
  scale: { type: 'string', default: 'full' },
  // The worker's own on CUDA.
  batches: { type: 'string', default: '8,64,8' },
  loads: { type: 'string', default: 'track:32,frame:32,all:32' },
  seconds: { type: 'string', default: '5' },
} as const;

/** A line of the script that runs the chain: what it started, one load, or why it failed. */
interface Line extends Partial<ChainFigures> {
  readonly error?: string;
  readonly pack?: string;
  readonly batches?: string;
  readonly startSeconds?: number;
  readonly candidates?: number;
  readonly what?: string;
  readonly inFlight?: number;
  readonly askedPerFrame?: Readonly<Record<string, number>>;
}

const CHAIN = resolve(import.meta.dirname, './gpu-kit/host/chain.ts');
/** What a load is to reach on two cores: frames per second by what is asked of a frame, and the most bytes of each way. */
const AIMS: Readonly<Record<string, number>> = { [CHAIN_WORK.frame]: 200, [CHAIN_WORK.all]: 60 };
const MOST_BYTES = { toGpuBytes: 15e6, toHostBytes: 1e6 } as const;
const ASKED = ['toGpuBytes', 'toHostBytes', 'toGpu', 'toHost', 'launches', 'waits', 'allocations', 'plans'] as const;

/**
 * Frames per second that this host reaches with a GPU that takes no time: the model chain as the worker uses it and ONNX Runtime's
 * real CUDA provider, on stand-ins for CUDA's libraries. Kernels and copies within the GPU do nothing; copies to and from it are made
 * by the processor, as those of pageable memory are. Frames are 1080p noise with five people, in which the detector finds what a trained
 * one does. Without `--pack`, the official
 * architectures are exported with random weights first. Throws for options that it does not know, where the stand-ins cannot be made,
 * and with what the chain failed for.
 */
export async function benchHostCeiling(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3) });
  const { scale, batches, loads, seconds } = values;
  if (scale !== 'full' && scale !== 'tiny') throw new Error('--scale is full or tiny');
  // Before the minutes that an export takes.
  batchesArgument(batches);
  loadsArgument(loads);
  const standIns = await fetchStandIns((line) => console.error(line));
  const models = values.pack === undefined ? await randomModels(scale) : { dir: values.pack, temporary: null };
  try {
    const args = ['--batches', batches, '--loads', loads, '--seconds', seconds];
    const lines = await runChain(standIns, [models.dir, 'cuda', '1080p', ...args]);
    const { pack, startSeconds, candidates } = lines.find((line) => line.startSeconds !== undefined) ?? {};
    return {
      machine: thisMachine(),
      pack,
      batches,
      startSeconds,
      // Of a frame, before the suppression.
      candidates,
      loads: lines.flatMap(loadFigures),
    };
  } finally {
    if (models.temporary !== null) await rm(models.temporary, { recursive: true, force: true });
  }
}

async function runChain(standIns: StandIns, args: readonly string[]): Promise<readonly Line[]> {
  const folder = await mkdtemp(join(tmpdir(), 'host-ceiling-'));
  try {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHAIN, ...args], {
      env: { ...process.env, ...standInVariables(standIns, folder) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    const lines: Line[] = [];
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line;
      if (line.error !== undefined) throw new Error(line.error);
      if (line.what !== undefined) {
        console.error(`${line.what}, ${line.inFlight} frames under way: ${line.framesPerSecond} frames/s`);
      }
      lines.push(line);
    }
    const [code, signal] = (await closed) as [number | null, string | null];
    if (code !== 0) throw new Error(`the chain ended with ${code ?? signal}`);
    return lines;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function loadFigures(line: Line): object[] {
  const { what, inFlight, framesPerSecond, frames, wallSeconds, cpuCores, boxesPerFrame, stages, askedPerFrame } = line;
  if (frames === undefined || wallSeconds === undefined || cpuCores === undefined) return [];
  return [
    {
      what,
      inFlight,
      frames,
      framesPerSecond,
      boxesPerFrame,
      cpuMsPerFrame: rounded((cpuCores * wallSeconds * 1000) / frames),
      // The share of the time that each stage took on its thread.
      busy: Object.fromEntries(Object.entries(stages ?? {}).map(([stage, { totalShare }]) => [stage, totalShare])),
      askedPerFrame: Object.fromEntries(ASKED.map((name) => [name, askedPerFrame?.[name] ?? null])),
      ofAim: ofAims(line),
    },
  ];
}

/** Ratios of what was reached and what is to be reached: of frames per second at least 1, of bytes at most 1. */
function ofAims({ what, framesPerSecond, askedPerFrame }: Line): Readonly<Record<string, number>> {
  const aim = AIMS[what ?? ''];
  const bytes = Object.entries(MOST_BYTES).map(([name, most]) => {
    return [name, rounded((askedPerFrame?.[name] ?? Number.NaN) / most)] as const;
  });
  const speed =
    aim === undefined || framesPerSecond === undefined ? {} : { framesPerSecond: rounded(framesPerSecond / aim) };
  return { ...speed, ...Object.fromEntries(bytes) };
}
