import { Failure } from '../../failure/failure.ts';
import type { LimitedChild } from './child-process.ts';
import { firstExecutable } from './executable.ts';
import type { FfmpegTools } from './ffmpeg-binary.ts';
import { LastWords, LineSplitter } from './last-words.ts';
import { gpuView, viewOf } from './sandbox-view.ts';
import { FIRST_PROCESS, type Sandbox } from './sandbox.ts';
import { startTool } from './start-tool.ts';
import { taskLimit } from './task-limit.ts';

/** `require`: no start without it. `auto`: where it works. `off`: never. */
export type SandboxChoice = 'require' | 'auto' | 'off';

/** Which sandbox the tools start in, decided once: what fails later is the host's fault, and no reason to go without. */
export interface SandboxVerdict {
  readonly choice: SandboxChoice;
  readonly inForce: Sandbox | null;
  /** Why there is none though it was wanted; null otherwise. */
  readonly problem: string | null;
}

export interface SandboxQuestion {
  readonly choice: SandboxChoice;
  /** Folders and files that no tool may see, wherever it lies itself. */
  readonly hidden: readonly string[];
  /** bubblewrap; looked for where systems have it when absent. */
  readonly program?: string;
}

export const SANDBOX_FIX =
  'install bubblewrap (Debian: apt-get install bubblewrap) and allow user namespaces to this user (docs/operations.md, "The decoder\'s sandbox")';

const PROGRAMS = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];
const TRY_MS = 10_000;
const LIMITS = { cpuSeconds: 10, memoryBytes: null };

const UNKNOWN = /Unknown option/;

/** From the best to what older versions of bubblewrap, and services that hide parts of /proc, leave. */
const WAYS = [
  { hasProc: true, forbidsMore: true },
  { hasProc: false, forbidsMore: true },
  { hasProc: true, forbidsMore: false },
  { hasProc: false, forbidsMore: false },
] as const;

/**
 * Decides on the sandbox by starting both tools in it. Never rejects but with the reason of the signal: what is missing is in the verdict.
 */
export async function findSandbox(
  tools: FfmpegTools,
  { choice, hidden, program }: SandboxQuestion,
  signal: AbortSignal,
): Promise<SandboxVerdict> {
  if (choice === 'off') return { choice, inForce: null, problem: null };
  const without = (problem: string): SandboxVerdict => ({ choice, inForce: null, problem });
  const found = await firstExecutable(program === undefined ? PROGRAMS : [program]);
  if (found === null) return without(`there is no bubblewrap (${program ?? PROGRAMS.join(', ')})`);
  if ((await firstExecutable([FIRST_PROCESS])) === null) return without(`there is no ${FIRST_PROCESS} (coreutils)`);
  const view = await viewOf([tools.ffmpeg, tools.ffprobe], hidden);
  const shown = { program: found, view, gpuView: await gpuView(), taskLimit: await taskLimit() };
  let problem = '';
  for (const way of WAYS) {
    signal.throwIfAborted();
    const inForce = { ...shown, ...way };
    // A host that is short of processes or time for a moment is no reason to do with a weaker sandbox for good.
    let failed = await tryBoth(tools, inForce, signal);
    if (failed !== null && !UNKNOWN.test(failed)) failed = await tryBoth(tools, inForce, signal);
    if (failed === null) return { choice, inForce, problem: null };
    // The first way is the one that a host should have; that an older bubblewrap does not know it is no reason yet.
    if (problem === '' || UNKNOWN.test(problem)) problem = failed;
  }
  return without(problem);
}

/** Rejects with HOST_FAULT where a sandbox is required and there is none. */
export function holdToSandbox({ choice, inForce, problem }: SandboxVerdict): void {
  if (choice !== 'require' || inForce !== null) return;
  throw new Failure('HOST_FAULT', `DECODER_SANDBOX=require, and ${problem ?? 'there is none'}; ${SANDBOX_FIX}`);
}

/** Null: both tools run in it, or do no better without. Otherwise why not. */
async function tryBoth(tools: FfmpegTools, inForce: Sandbox, signal: AbortSignal): Promise<string | null> {
  const attempts = await Promise.all([
    attempt(tools, 'ffmpeg', inForce, signal),
    attempt(tools, 'ffprobe', inForce, signal),
  ]);
  signal.throwIfAborted();
  return attempts.find((tried) => tried !== null) ?? null;
}

async function attempt(
  tools: FfmpegTools,
  tool: 'ffmpeg' | 'ffprobe',
  inForce: Sandbox,
  signal: AbortSignal,
): Promise<string | null> {
  const inside = await versionIn({ ...tools, sandbox: { choice: 'auto', inForce, problem: null } }, tool, signal);
  if (inside.isGood) return null;
  if (inside.isRefused) return `${inForce.program} does not work here: ${inside.said}`;
  // A program that does not answer outside either is no fault of the sandbox, and is told of where it is asked who it is.
  const outside = await versionIn({ ...tools, sandbox: undefined }, tool, signal);
  return outside.isGood ? `${tools[tool]} does not run in a sandbox: ${inside.said}` : null;
}

interface Answer {
  readonly isGood: boolean;
  readonly isRefused: boolean;
  readonly said: string;
}

async function versionIn(tools: FfmpegTools, tool: 'ffmpeg' | 'ffprobe', signal: AbortSignal): Promise<Answer> {
  const words = new LastWords();
  let text = '';
  let child: LimitedChild | null = null;
  const end = (): void => void child?.stop();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]);
  try {
    const started = await startTool(tools, { tool, args: ['-version'], file: null, limits: LIMITS });
    child = started;
    limit.addEventListener('abort', end, { once: true });
    const lines = new LineSplitter((line) => words.add(line));
    started.stderr.setEncoding('utf8').on('data', (chunk: string) => lines.push(chunk));
    for await (const chunk of started.stdout.setEncoding('utf8')) if (text.length < 4096) text += String(chunk);
    const { code, isSandboxRefused = false } = await started.exited;
    lines.end();
    const isGood = code === 0 && text.startsWith(`${tool} version `);
    return { isGood, isRefused: isSandboxRefused, said: words.text === '' ? `exit code ${code}` : words.text };
  } catch (error) {
    const said = limit.aborted
      ? `no answer within ${TRY_MS / 1000} s`
      : String(error instanceof Error ? error.message : error);
    return { isGood: false, isRefused: false, said };
  } finally {
    limit.removeEventListener('abort', end);
    await child?.stop();
  }
}
