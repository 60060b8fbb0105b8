import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { queryGpus } from '../../src/cli/preflight/nvidia-smi.ts';
import { loadPack, type Pack, packModels } from '../../src/inference/load-pack.ts';
import type { ExecutionTarget } from '../../src/inference/providers.ts';
import { stageMeter } from '../../src/inference/stage-meter.ts';
import { type BenchStage, floorMs, peakTeraflops } from './gpu/arithmetic-floor.ts';
import { placementOf } from './gpu/node-placement.ts';
import { randomModels } from './gpu/random-models.ts';
import { STAGE_CASES } from './gpu/stage-cases.ts';

interface Row {
  readonly stage: BenchStage;
  readonly batch: number;
  /** The first run of this batch size, in which every convolution is planned. */
  readonly firstMs: number;
  /** Median milliseconds inside ONNX Runtime for the batch. */
  readonly runMs: number;
  /** Median of the whole stage, preparation and reading included. */
  readonly totalMs: number;
  readonly itemsPerSecond: number;
  /** Floor divided by `runMs`; null where the GPU's peak is not known, or the models are not the full-size ones. */
  readonly shareOfFloor: number | null;
  readonly gpuMemoryMib: number | null;
}

const OPTIONS = {
  json: { type: 'boolean', default: false },
  device: { type: 'string', default: 'cuda' },
  pack: { type: 'string' },
  scale: { type: 'string', default: 'full' },
  batches: { type: 'string', default: '1,4,8,16' },
  rounds: { type: 'string', default: '20' },
  'peak-tflops': { type: 'string' },
} as const;

/**
 * Times each stage of the chain at several batch sizes. Without `--pack`, the official architectures are exported with random
 * weights first. `--device cpu --scale tiny` tries the command itself where there is no GPU.
 */
export async function benchGpu(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3), allowPositionals: true });
  const { device, scale } = values;
  if ((device !== 'cuda' && device !== 'cpu') || (scale !== 'full' && scale !== 'tiny')) {
    throw new Error('--device is cuda or cpu, --scale is full or tiny');
  }
  const target: ExecutionTarget = { device };
  const gpu = await currentGpu();
  if (device === 'cuda' && gpu === null) {
    throw new Error('no GPU: nvidia-smi shows none (video-worker preflight says why); nothing was measured');
  }
  const models = values.pack === undefined ? await randomModels(scale) : { dir: values.pack, temporary: null };
  try {
    const pack = await loadPack(models.dir);
    const peak = values['peak-tflops'] === undefined ? peakTeraflops(gpu?.name ?? '') : Number(values['peak-tflops']);
    const officialSize = values.pack !== undefined || scale === 'full';
    const rows: Row[] = [];
    for (const stage of Object.keys(STAGE_CASES) as BenchStage[]) {
      const batches = values.batches.split(',').map(Number);
      rows.push(
        ...(await timeStage(stage, {
          pack,
          target,
          batches,
          rounds: Number(values.rounds),
          peak: officialSize ? peak : null,
        })),
      );
    }
    return {
      gpu: gpu?.name ?? null,
      driver: gpu?.driver ?? null,
      device,
      pack: pack.manifest.name,
      peakTeraflops: peak,
      stages: rows,
      placement: await placements(pack, target),
    };
  } finally {
    if (models.temporary !== null) await rm(models.temporary, { recursive: true, force: true });
  }
}

interface Timing {
  readonly pack: Pack;
  readonly target: ExecutionTarget;
  readonly batches: readonly number[];
  readonly rounds: number;
  readonly peak: number | null;
}

async function timeStage(stage: BenchStage, timing: Timing): Promise<readonly Row[]> {
  const { pack, target, batches, rounds, peak } = timing;
  const open = await STAGE_CASES[stage](pack, target);
  const rows: Row[] = [];
  try {
    for (const batch of batches) {
      const began = performance.now();
      await open.run(batch);
      const firstMs = performance.now() - began;
      const [runs, totals]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        Object.assign(open.meter, stageMeter());
        const started = performance.now();
        await open.run(batch);
        totals.push(performance.now() - started);
        runs.push(open.meter.runMs);
      }
      const [runMs, totalMs] = [median(runs), median(totals)];
      const row: Row = {
        stage,
        batch,
        firstMs: rounded(firstMs),
        runMs: rounded(runMs),
        totalMs: rounded(totalMs),
        itemsPerSecond: rounded((batch / totalMs) * 1000),
        shareOfFloor: peak === null ? null : rounded(floorMs(stage, batch, peak) / runMs),
        gpuMemoryMib: await usedMemory(target),
      };
      console.error(
        `${stage} x ${batch}: ${row.runMs} ms in the models, ${row.totalMs} ms in all, ${row.itemsPerSecond}/s`,
      );
      rows.push(row);
    }
  } finally {
    await open.release();
  }
  return rows;
}

async function placements(pack: Pack, target: ExecutionTarget): Promise<object> {
  const found: Record<string, object> = {};
  for (const { field, spec } of packModels(pack.manifest)) {
    found[field] = await placementOf(pack.filePath(spec.file), target);
  }
  return found;
}

async function currentGpu(): Promise<{
  readonly name: string;
  readonly driver: string;
  readonly usedMib: number;
} | null> {
  const query = await queryGpus('nvidia-smi', AbortSignal.timeout(15_000));
  const gpu = query.ok ? query.gpus[0] : undefined;
  return gpu === undefined
    ? null
    : { name: gpu.name, driver: gpu.driver, usedMib: gpu.memoryTotalMib - gpu.memoryFreeMib };
}

async function usedMemory(target: ExecutionTarget): Promise<number | null> {
  return target.device === 'cuda' ? ((await currentGpu())?.usedMib ?? null) : null;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const rounded = (value: number): number => Number(value.toPrecision(4));
