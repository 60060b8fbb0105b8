import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from '@jest/globals';
import { preparePack } from '../../../src/inference/prepare/prepare-pack.ts';
import { type Counts, readCounts } from '../../bench/gpu-kit/null-cuda/counts.ts';
import { readyStandIns, type StandIns, standInVariables } from '../../bench/gpu-kit/null-cuda/stand-ins.ts';
import { tinyExport } from '../../support/tiny-export.ts';

const ready = await readyStandIns();

/** `test` where CUDA's stand-ins can be made, else a skipped test whose title says why not. */
export const standInTest: (title: string, run: () => Promise<void>, timeoutMs?: number) => void =
  typeof ready === 'string'
    ? (title) => test.skip(`${title} (skipped: ${ready})`, () => undefined)
    : (title, run, timeoutMs) => test(title, run, timeoutMs);

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A library that is not there. */
  readonly without?: string;
  /** With which the script is to end; 0 by default. */
  readonly exitCode?: number;
}

export interface StandInRun<Line> {
  /** The JSON objects that the script printed. */
  readonly lines: readonly Line[];
  /** Of the whole process and its children. */
  readonly counts: Counts;
}

const LIMIT_MS = 120_000;

/** Runs a script with Node on the stand-ins, for a test of `standInTest`. Rejects with its words when it ends otherwise than it is to. */
export async function runOnStandIns<Line>(
  script: string,
  args: readonly string[],
  { env = {}, without, exitCode = 0 }: RunOptions = {},
): Promise<StandInRun<Line>> {
  if (typeof ready === 'string') throw new Error(ready);
  const folder = await mkdtemp(join(tmpdir(), 'stand-ins-'));
  try {
    const standIns = without === undefined ? ready : await lessOne(ready, without, join(folder, 'lib'));
    const countsFile = join(folder, 'counts');
    const variables = { ...standInVariables(standIns, countsFile), ...env };
    const printed = await outputOf([script, ...args], variables, exitCode);
    const lines = printed.split('\n').filter((line) => line.startsWith('{'));
    return { lines: lines.map((line) => JSON.parse(line) as Line), counts: readCounts(countsFile) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function outputOf(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  exitCode: number,
): Promise<string> {
  const options = { timeout: LIMIT_MS, maxBuffer: 1 << 28, env: { ...process.env, ...variables } };
  const ended = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...args],
    options,
  ).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as { readonly code: unknown; readonly stdout: string; readonly stderr: string },
  );
  if (ended.code === exitCode) return ended.stdout;
  throw new Error(`${args.join(' ')} ended with ${String(ended.code)}: ${ended.stdout}${ended.stderr}`, {
    cause: ended,
  });
}

async function lessOne(standIns: StandIns, without: string, folder: string): Promise<StandIns> {
  await mkdir(folder);
  const names = await readdir(standIns.libraries);
  if (!names.includes(without)) throw new Error(`${without} is none of ${names.join(', ')}`);
  for (const name of names.filter((other) => other !== without)) {
    await symlink(join(standIns.libraries, name), join(folder, name));
  }
  return { ...standIns, libraries: folder };
}

export interface TinyPacks {
  /** As exported, in fp16. */
  readonly raw: string;
  readonly prepared: string;
  /** Has both prepared and to be removed. */
  readonly folder: string;
}

/** The official architectures scaled down, with random weights, in fp16 as a GPU gets them. */
export async function tinyPacks(): Promise<TinyPacks> {
  const raw = join(await tinyExport(), 'fp16');
  const folder = await mkdtemp(join(tmpdir(), 'cuda-packs-'));
  return { raw, prepared: (await preparePack(raw, join(folder, 'prepared'))).dir, folder };
}
