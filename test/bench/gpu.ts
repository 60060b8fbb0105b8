import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadPack, type Pack, packModels } from '../../src/packs/load-pack.ts';
import type { ExecutionTarget } from '../../src/inference/providers.ts';
import { type BenchStage, floorMs, peakTeraflops } from './gpu/arithmetic-floor.ts';
import { countCandidates } from './gpu/candidates.ts';
import { currentGpu } from './gpu/current-gpu.ts';
import { rounded } from './figures.ts';
import { placementOf } from './gpu/node-placement.ts';
import { randomModels } from './gpu/random-models.ts';
import { STAGE_CASES } from './gpu/stage-cases.ts';
import { timeBatch } from './gpu/time-batch.ts';

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
  /** In all after these runs: on CUDA the sessions of the smaller sizes are still open. */
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
    const candidates = await countCandidates(pack, target);
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
      // Of a frame, before the suppression: thousands of them would be what the detection's time is of.
      candidates,
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
      const times = await timeBatch(open, batch, rounds);
      const row: Row = {
        stage,
        batch,
        firstMs: rounded(times.firstMs),
        runMs: rounded(times.runMs),
        totalMs: rounded(times.totalMs),
        itemsPerSecond: rounded((batch / times.totalMs) * 1000),
        shareOfFloor: peak === null ? null : rounded(floorMs(stage, batch, peak) / times.runMs),
        gpuMemoryMib: target.device === 'cuda' ? ((await currentGpu())?.usedMib ?? null) : null,
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
