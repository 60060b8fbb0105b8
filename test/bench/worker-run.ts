import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { VideoAnalysis } from '../../src/analysis/video-analysis.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { measureRun, type ProcessCost } from './process-cost.ts';

export interface WorkerRun {
  readonly cost: ProcessCost;
  readonly analysis: VideoAnalysis;
}

export interface WorkerRunOptions {
  /** Folder of the project whose built command runs; this one when absent. */
  readonly project?: string | undefined;
  readonly pack: string;
  readonly framesPerSecond: number;
  /** The command's own default when absent. */
  readonly attributes?: 'per-frame' | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

const ROOT = resolve(import.meta.dirname, '../..');

/** The launcher of the operator's command. */
export function videoWorker(project = ROOT): string {
  return join(project, 'scripts/video-worker');
}

/** Runs the built `video-worker analyze` on the CPU, without scene texts, as a process of its own. */
export async function analyzeAsProcess(video: string, options: WorkerRunOptions): Promise<WorkerRun> {
  const { project, pack, framesPerSecond, attributes, env } = options;
  await using folder = await temporaryFolder('bench-analyze');
  const json = folder.at('analysis.json');
  const args = ['analyze', video, '--pack', pack, '--fps', String(framesPerSecond), '--json', json];
  if (attributes !== undefined) args.push('--attributes', attributes);
  const { stdout: _said, ...cost } = await measureRun(videoWorker(project), args, {
    DEVICE: 'cpu',
    SCENE: 'off',
    WORK_DIR: folder.at('work'),
    ...env,
  });
  return { cost, analysis: JSON.parse(await readFile(json, 'utf8')) as VideoAnalysis };
}
