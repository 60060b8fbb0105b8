import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { loadPack } from '../../src/inference/load-pack.ts';
import type { ChainFigures } from '../../test/bench/gpu-kit/host/chain-load.ts';
import { fetchStandIns, standInVariables } from '../../test/bench/gpu-kit/null-cuda/stand-ins.ts';
import { rounded } from './figures.ts';
import { randomModels } from './gpu/random-models.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  pack: { type: 'string' },
  scale: { type: 'string', default: 'full' },
  batches: { type: 'string', default: '8,8,8' },
  loads: { type: 'string', default: 'track:32,frame:32,all:32' },
  seconds: { type: 'string', default: '5' },
} as const;

interface Line extends Partial<ChainFigures> {
  readonly error?: string;
  readonly startSeconds?: number;
  readonly what?: string;
  readonly inFlight?: number;
  readonly askedPerFrame?: Readonly<Record<string, number>>;
}

const CHAIN = resolve(import.meta.dirname, '../../test/bench/gpu-kit/host/chain.ts');
const ASKED = ['toGpuBytes', 'toHostBytes', 'toGpu', 'toHost', 'launches', 'waits', 'allocations', 'plans'] as const;
const LIMIT_MS = 1_800_000;
/** Candidates of either class in a frame: about what a trained detector has. */
const FOUND = { NULL_FOUND: '30' } as const;

/**
 * Frames per second that this host reaches with a GPU that takes no time: the model chain as the worker uses it and ONNX Runtime's
 * real CUDA provider, on stand-ins for CUDA's libraries whose kernels do nothing. Copies to and from the GPU are made by the
 * processor, as those of pageable memory are. Frames are 1080p noise with five people. Without `--pack`, the official architectures
 * are exported with random weights first. Throws where the stand-ins cannot be made, and with what the chain failed for.
 */
export async function benchHostCeiling(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3), allowPositionals: true });
  const { scale } = values;
  if (scale !== 'full' && scale !== 'tiny') throw new Error('--scale is full or tiny');
  const standIns = await fetchStandIns((line) => console.error(line));
  const models = values.pack === undefined ? await randomModels(scale) : { dir: values.pack, temporary: null };
  const folder = await mkdtemp(join(tmpdir(), 'host-ceiling-'));
  try {
    const pack = await loadPack(models.dir);
    const env = { ...process.env, ...standInVariables(standIns, join(folder, 'counts')), ...FOUND };
    const { batches, loads, seconds } = values;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [CHAIN, models.dir, 'cuda', '1080p', '--batches', batches, '--loads', loads, '--seconds', seconds],
      { env, timeout: LIMIT_MS, maxBuffer: 1 << 28 },
    );
    const lines = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
    const failed = lines.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw new Error(failed.error);
    return {
      machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version },
      pack: pack.manifest.name,
      batches,
      startSeconds: lines.find(({ startSeconds }) => startSeconds !== undefined)?.startSeconds ?? null,
      loads: lines.flatMap(loadFigures),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
    if (models.temporary !== null) await rm(models.temporary, { recursive: true, force: true });
  }
}

function loadFigures(line: Line): object[] {
  const { what, inFlight, framesPerSecond, frames, wallSeconds, cpuCores, stages, askedPerFrame } = line;
  if (frames === undefined || wallSeconds === undefined || cpuCores === undefined) return [];
  console.error(`${what}, ${inFlight} frames under way: ${framesPerSecond} frames/s`);
  return [
    {
      what,
      inFlight,
      frames,
      framesPerSecond,
      cpuMsPerFrame: rounded((cpuCores * wallSeconds * 1000) / frames),
      // The share of the time that each stage took on its thread.
      busy: Object.fromEntries(Object.entries(stages ?? {}).map(([stage, { totalShare }]) => [stage, totalShare])),
      askedPerFrame: Object.fromEntries(ASKED.map((name) => [name, askedPerFrame?.[name] ?? null])),
    },
  ];
}
