import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { calibrateThreshold } from './candidates.ts';

const EXPORT = fileURLToPath(new URL('../../../models/export/export', import.meta.url));
const VIDEO_WORKER = fileURLToPath(new URL('../../../scripts/video-worker', import.meta.url));

export interface RandomModels {
  /** The prepared fp16 pack. */
  readonly dir: string;
  /** To be removed afterwards. */
  readonly temporary: string;
}

/**
 * Exports the official architectures with random weights and prepares the fp16 pack, in a temporary folder; its detector finds in the benchmark's
 * frame about as much as a trained one.
 */
export async function randomModels(scale: 'full' | 'tiny'): Promise<RandomModels> {
  const temporary = await mkdtemp(join(tmpdir(), 'bench-models-'));
  try {
    await run(EXPORT, [...exportOptions(), '--random-weights', '--scale', scale, '--out', temporary]);
    const dir = join(temporary, 'prepared');
    await run(VIDEO_WORKER, ['models', 'prepare', join(temporary, 'fp16'), '--out', dir]);
    await calibrateThreshold(await loadPack(dir), { device: 'cpu' });
    return { dir, temporary };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** EXPORT_SYSTEM_TORCH=1 takes the torch that the host's python3 has, where none can be installed. */
function exportOptions(): readonly string[] {
  return process.env['EXPORT_SYSTEM_TORCH'] === '1' ? ['--system-torch'] : [];
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 2, 2] });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}: see above`);
}
