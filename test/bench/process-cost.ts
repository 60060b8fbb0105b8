import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { bareEnvironment } from '../harness/bare-environment.ts';
import { descendantsOf } from '../harness/processes.ts';

/** What a program cost with all that it started. */
export interface ProcessCost {
  /** User and system, of the program and of every process that it started and waited for; in steps of 10 ms. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Highest resident set of the program itself, as the kernel kept it. */
  readonly peakMiB: number;
  /** Highest sum of the resident sets of the program and all below it, as seen every 25 ms: pages that they share count twice. */
  readonly treePeakMiB: number;
}

export interface MeasuredRun extends ProcessCost {
  readonly stdout: string;
}

interface MemoryPeaks {
  readonly peakMiB: number;
  readonly treePeakMiB: number;
}

const LOOK_MS = 25;
const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1024;

/**
 * Runs a program to its end and measures it; the environment is `bareEnvironment` with what is given. Nothing else may be started or end
 * meanwhile: the kernel keeps one sum for all children of a process. Throws with the program's last words where it fails.
 */
export async function measureRun(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<MeasuredRun> {
  const cpuBefore = childrenSeconds(readFileSync('/proc/self/stat', 'utf8'));
  const started = performance.now();
  const child = spawn(program, args, { env: { ...bareEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const memory = child.pid === undefined ? null : watchMemory(child.pid);
  const [stdout, stderr, ended] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited.then((end) => ({ end, wallSeconds: (performance.now() - started) / 1000 })),
  ]);
  const cpuSeconds = childrenSeconds(readFileSync('/proc/self/stat', 'utf8')) - cpuBefore;
  const peaks = (await memory?.stop()) ?? { peakMiB: Number.NaN, treePeakMiB: Number.NaN };
  const [code, signal] = ended.end as [number | null, string | null];
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}: ${stderr.trim().slice(-1_000)}`);
  return { cpuSeconds, wallSeconds: ended.wallSeconds, ...peaks, stdout };
}

/** Seconds of the processor of all children that have ended and were waited for, from a process's line in `/proc/PID/stat`. */
export function childrenSeconds(stat: string): number {
  // The name may hold spaces and brackets: the other fields are counted from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

/** The highest resident set so far, MiB, from `/proc/PID/status`; NaN of a process that has ended. */
export function highestResident(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / KIB_PER_MIB;
}

/** Looks at a process and those below it until `stop`, which answers with the highest that it saw since the call. */
export function watchMemory(pid: number): { stop(): Promise<MemoryPeaks> } {
  const stopping = new AbortController();
  let [peakMiB, treePeakMiB] = [0, 0];
  const look = async (): Promise<void> => {
    const [status, below] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''),
      descendantsOf(pid),
    ]);
    const own = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / KIB_PER_MIB;
    const tree = below.reduce((sum, { residentBytes }) => sum + residentBytes / KIB_PER_MIB ** 2, own);
    peakMiB = Math.max(peakMiB, highestResident(status) || 0);
    treePeakMiB = Math.max(treePeakMiB, tree, peakMiB);
  };
  const looking = (async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await look();
      await sleep(LOOK_MS);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await looking;
      return { peakMiB, treePeakMiB };
    },
  };
}
