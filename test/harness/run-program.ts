import { spawn } from 'node:child_process';
import { bareEnvironment } from './bare-environment.ts';
import { owned } from './ownership.ts';

export interface Ended {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** All that it finds in its environment; `bareEnvironment` when absent. */
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  readonly cwd?: string;
  /** Then it is killed with all that it has started; no limit but the test's when absent. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end, in a process group of its own. Rejects when it cannot be started. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { env = bareEnvironment(), cwd, timeoutMs }: ProgramOptions = {},
): Promise<Ended> {
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => (text[name] += chunk));
  }
  const closed = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  const end = owned(`the program ${[program, ...args].join(' ')}`, async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killGroup(child.pid);
    await closed;
  });
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => void end(), timeoutMs);
  try {
    return { code: await closed, ...text };
  } finally {
    clearTimeout(timer);
    await end().catch(() => undefined);
  }
}

/** Ends a process that leads a group, and all that is in it. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}
