import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

/** One check: a command whose exit status says whether all is well. */
export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

export interface StepResult {
  readonly name: string;
  /** The exit status of the command, as a shell would give it. */
  readonly code: number;
  readonly seconds: number;
  /** Its standard output and standard error, in the order in which they came. */
  readonly output: string;
}

/** Runs all steps at once and resolves when the last has ended; the signal ends those that still run, with what they started. */
export function runSteps(steps: readonly Step[], signal?: AbortSignal): Promise<StepResult[]> {
  return Promise.all(steps.map((step) => runStep(step, signal)));
}

async function runStep({ name, command: [program, ...args] }: Step, signal?: AbortSignal): Promise<StepResult> {
  const start = performance.now();
  // A process group of its own: a launcher such as npm would not hand a signal on to what it has started.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const stop = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  };
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    const [code, killed] = await closed;
    return {
      name,
      code: code ?? 128 + (killed === null ? 0 : constants.signals[killed]),
      seconds: since(start),
      output,
    };
  } catch (error) {
    return { name, code: 127, seconds: since(start), output: `${program} could not be started: ${String(error)}\n` };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function since(start: number): number {
  return (performance.now() - start) / 1_000;
}

/** What a person reads: each step's output whole, those that failed last, then a line for each with its seconds. */
export function renderResults(results: readonly StepResult[]): string {
  const failedLast = results.toSorted((a, b) => Number(a.code !== 0) - Number(b.code !== 0));
  const sections = failedLast.map(({ name, output }) => `--- ${name}\n${output.trimEnd()}\n`);
  const lines = failedLast.map(
    ({ name, code, seconds }) => `${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)\n`,
  );
  return [...sections, '\n', ...lines].join('');
}
