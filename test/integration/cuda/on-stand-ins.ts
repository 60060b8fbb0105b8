import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from '@jest/globals';
import { whyNoExport } from '../../harness/export-test.ts';
import { type Counts, readCounts } from '../../bench/gpu-kit/null-cuda/counts.ts';
import {
  countsFile,
  readyStandIns,
  type StandIns,
  standInVariables,
  whyNoStandIns,
} from '../../bench/gpu-kit/null-cuda/stand-ins.ts';

type StandInTest = (title: string, run: () => Promise<void>) => void;

const LIMIT_MS = 150_000;
/** More than a script may take: its own words tell more than the test's. */
const TEST_MS = LIMIT_MS + 30_000;

const whyNone = (await whyNoStandIns()) ?? (await whyNoExport());
// Jest says nothing of a skipped test but that there is one.
if (whyNone !== null) console.warn(`the tests on CUDA's stand-ins are skipped: ${whyNone}`);

/** `test` where CUDA's stand-ins can be made and models exported that run on them, else a skipped test. */
export const standInTest: StandInTest = standInTestUnless(null);

/** As `standInTest`, and skipped for a further reason where there is one. */
export function standInTestUnless(reason: string | null): StandInTest {
  const whyNot = whyNone ?? reason;
  return whyNot === null
    ? (title, run) => test(title, run, TEST_MS)
    : (title) => test.skip(`${title} (${whyNot})`, () => undefined);
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A library that is not there. */
  readonly without?: string;
  /** With which the script is to end; 0 by default. */
  readonly exitCode?: number;
}

export interface StandInRun<Line> {
  /** The JSON objects that the script printed, at least one where it fails. */
  readonly lines: readonly Line[];
  /** Of the whole process and its children. */
  readonly counts: Counts;
}

/** Runs a script with Node on the stand-ins, for a test of `standInTest`. Rejects with its words when it ends otherwise than it is to. */
export async function runOnStandIns<Line>(
  script: string,
  args: readonly string[],
  { env = {}, without, exitCode = 0 }: RunOptions = {},
): Promise<StandInRun<Line>> {
  const folder = await mkdtemp(join(tmpdir(), 'stand-ins-'));
  try {
    const all = await readyStandIns();
    const standIns = without === undefined ? all : await lessOne(all, without, join(folder, 'lib'));
    const ended = await run([script, ...args], { ...standInVariables(standIns, folder), ...env });
    const printed = ended.stdout.split('\n').filter((line) => line.startsWith('{'));
    if (ended.code !== exitCode || (exitCode !== 0 && printed.length === 0)) {
      const words = `${ended.stdout}${ended.stderr}`;
      throw new Error(`${script} ${args.join(' ')} ended with ${String(ended.code)}: ${words}`);
    }
    return { lines: printed.map((line) => JSON.parse(line) as Line), counts: readCounts(countsFile(folder)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Ended {
  /** The exit code; a word where the script was not started or was killed. */
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<Ended> {
  const { NULL_CUDA_HEAP: _heap, ...own } = process.env;
  const command = ['--disable-warning=ExperimentalWarning', ...args];
  const options = { timeout: LIMIT_MS, maxBuffer: 1 << 28, env: { ...own, ...variables } };
  return promisify(execFile)(process.execPath, command, options).then(
    (output) => ({ code: 0, ...output }),
    (error: unknown) => error as Ended,
  );
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
