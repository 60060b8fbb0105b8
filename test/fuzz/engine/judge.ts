import type { Allowance, Target } from './target.ts';

/** Code that is not compiled yet, and a pause for memory, take some milliseconds; what grows faster than the input takes seconds. */
export const USUAL_ALLOWANCE: Allowance = { fixedMs: 30, msPerKib: 1 };
const TRIES = 3;

/** What is wrong with an input. */
export interface Fault {
  readonly kind: 'broken' | 'slow' | 'hang' | 'death';
  /** Equal for inputs that show the same fault. */
  readonly signature: string;
  readonly text: string;
}

/** Runs a target on an input; null where all is as it must be. */
export function judge(target: Target, input: Buffer): Fault | null {
  const begin = performance.now();
  try {
    target.check(input);
  } catch (error) {
    return faultOf(error);
  }
  const allowedMs = allowanceOf(target, input.length);
  if (performance.now() - begin <= allowedMs) return null;
  const ms = Math.min(...Array.from({ length: TRIES }, () => cpuMs(() => target.check(input))));
  if (ms <= allowedMs) return null;
  const text = `${input.length} bytes take ${ms.toFixed(0)} ms of CPU time, allowed are ${allowedMs.toFixed(0)}`;
  return { kind: 'slow', signature: 'slow', text };
}

export function allowanceOf({ allowance = USUAL_ALLOWANCE }: Target, bytes: number): number {
  return allowance.fixedMs + (allowance.msPerKib * bytes) / 1024;
}

/** Of this thread: the clock on the wall would blame an input for whoever shares the machine. */
export function cpuMs(run: () => void): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

function faultOf(error: unknown): Fault {
  const { name, message, stack } = error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
  const frames = (stack ?? '').split('\n').map((line) => /((?:src|test\/fuzz\/targets)\/[^:)]+:\d+)/.exec(line)?.[1]);
  const place = frames.find((frame) => frame !== undefined) ?? '';
  // The same fault speaks of other values each time.
  const kind = message
    .slice(0, 200)
    .replaceAll(/"[^"]*"|'[^']*'/g, '"..."')
    .replaceAll(/\d+/g, '#');
  return { kind: 'broken', signature: `${name}: ${kind} at ${place}`, text: stack ?? message };
}
