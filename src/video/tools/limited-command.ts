import { dirname, join } from 'node:path';
import { firstExecutable, isExecutable } from './executable.ts';

export interface ChildLimits {
  /** CPU seconds over all threads; null: unlimited. */
  readonly cpuSeconds: number | null;
  /** Address space in bytes; null: unlimited. */
  readonly memoryBytes: number | null;
}

const DEFAULT_MEMORY_BYTES = 4 * 1024 ** 3;
/** A decoder keeps a picture in work for each of its threads: 205 MB of address space for one of 8K HEVC with 10 bits. */
const MEMORY_BYTES_PER_THREAD = 256 * 1024 ** 2;

/** Of util-linux, both: where one is, the other is beside it. */
const FOLDERS = ['/usr/bin', '/bin'];

/** Limits for a child that may work for `wallMs`: that time, and room for a picture, on each thread it may use. */
export function limitsFor(wallMs: number, threads: number, memoryBytes: number | undefined): ChildLimits {
  return {
    cpuSeconds: Math.ceil((wallMs / 1000) * (threads + 1)) + 1,
    memoryBytes: memoryBytes ?? DEFAULT_MEMORY_BYTES + (threads - 1) * MEMORY_BYTES_PER_THREAD,
  };
}

/**
 * The command that starts a program under limits and has the kernel kill it when the thread that started it is gone: each link of the chain
 * becomes the next one, so that there is one process in the end. Without util-linux, the program alone.
 */
export async function limitedCommand(
  program: string,
  args: readonly string[],
  limits: ChildLimits,
): Promise<readonly [command: string, ...args: string[]]> {
  const limiter = await findLimiter();
  if (limiter === null) return [program, ...args];
  const flags = ['--core=0', '--fsize=0'];
  // The soft limit lets ffmpeg say why it ends; the hard one does not ask.
  if (limits.cpuSeconds !== null) flags.push(`--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 5}`);
  if (limits.memoryBytes !== null) flags.push(`--as=${limits.memoryBytes}`);
  const command = [limiter, ...flags, '--', program, ...args] as const;
  // A worker that is killed cannot stop its decoders. It starts them on its main thread, which lives as long as the process.
  const parting = join(dirname(limiter), 'setpriv');
  return (await isExecutable(parting)) ? [parting, '--pdeathsig', 'KILL', '--', ...command] : [...command];
}

/** The program that limits what follows it; null: there is none. */
export async function findLimiter(): Promise<string | null> {
  return await firstExecutable(FOLDERS.map((folder) => join(folder, 'prlimit')));
}
