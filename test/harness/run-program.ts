import { spawn } from 'node:child_process';
import { bareEnvironment } from './bare-environment.ts';
import { owned } from './ownership.ts';
import { sendSignal } from './processes.ts';

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
  let isClosed = false;
  const closed = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      isClosed = true;
      resolve(code ?? -1);
    });
  });
  const end = owned(`the program ${[program, ...args].join(' ')}`, async () => {
    // When it has ended itself, what it has started may still hold its output.
    if (child.pid !== undefined && !isClosed) sendSignal(-child.pid, 'SIGKILL');
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
