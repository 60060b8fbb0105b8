import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { measureRun, type ProcessCost } from './process-cost.ts';
import { runCommand } from './gpu-kit/run-command.ts';
import type { StreetFootage } from './street-footage.ts';

/** [x1, y1, x2, y2] in source pixels. */
type Tuple = readonly [number, number, number, number];

/** What the plain chain in Python found. */
export interface PlainAnalysis {
  /** From the first frame to the last, without imports and the opening of the models. */
  readonly seconds: number;
  readonly frames: readonly {
    readonly index: number;
    readonly detections: readonly { readonly class: string; readonly box: Tuple; readonly score: number }[];
    /** Those whose age, orientation and action were read. */
    readonly persons: readonly { readonly action: string; readonly orientation: number }[];
  }[];
}

const FOLDER = join(import.meta.dirname, 'python');
const ENVIRONMENT = resolve(import.meta.dirname, '../../.local/bench-python');
const PYTHON = join(ENVIRONMENT, 'bin/python');
const INSTALL_LIMIT_MS = 600_000;

/** Makes the Python environment where it is not yet as the requirements say. Answers with why it cannot be made, or null. */
export async function whyNoPlainChain(say: (line: string) => void): Promise<string | null> {
  const requirements = join(FOLDER, 'requirements.txt');
  const wanted = await readFile(requirements, 'utf8');
  const mark = join(ENVIRONMENT, 'installed.txt');
  if ((await readFile(mark, 'utf8').catch(() => null)) === wanted) return null;
  say('Python environment of the plain chain, from PyPI');
  try {
    await mkdir(ENVIRONMENT, { recursive: true });
    await runCommand('/usr/bin/python3', ['-m', 'venv', ENVIRONMENT], { limitMs: INSTALL_LIMIT_MS });
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
    await runCommand(PYTHON, [...install, '--timeout', '10', '-r', requirements], { limitMs: INSTALL_LIMIT_MS });
    await writeFile(mark, wanted);
    return null;
  } catch (error) {
    return `skipped: its packages could not be installed from PyPI: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Runs the plain chain on a video as a process. */
export async function runPlainChain(
  { pack, models }: StreetFootage,
  video: string,
  framesPerSecond: number,
): Promise<{ readonly cost: ProcessCost; readonly analysis: PlainAnalysis }> {
  const args = [join(FOLDER, 'plain_chain.py'), video, join(pack, 'manifest.json'), models];
  const { stdout, ...cost } = await measureRun(PYTHON, [...args, '--fps', String(framesPerSecond)]);
  return { cost, analysis: JSON.parse(stdout) as PlainAnalysis };
}
