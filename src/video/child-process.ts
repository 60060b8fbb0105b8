import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import { Failure } from '../failure/failure.ts';

export interface ChildLimits {
  /** CPU seconds over all threads; null: unlimited. */
  readonly cpuSeconds: number | null;
  /** Address space in bytes; null: unlimited. */
  readonly memoryBytes: number | null;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child in its own process group. */
export interface LimitedChild {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process itself is gone; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Ends the whole group (SIGTERM, then SIGKILL after the grace) and resolves when the process is really gone. */
  stop(): Promise<ChildExit>;
}

const STOP_GRACE_MS = 500;
const LIMITERS = ['/usr/bin/prlimit', '/bin/prlimit'];
const DEFAULT_MEMORY_BYTES = 4 * 1024 ** 3;

/** Limits for a child that may work for `wallMs`: that time on each thread it may use. */
export function limitsFor(wallMs: number, threads: number, memoryBytes: number | undefined): ChildLimits {
  const workers = threads > 0 ? threads : availableParallelism();
  return {
    cpuSeconds: Math.ceil((wallMs / 1000) * (workers + 1)) + 1,
    memoryBytes: memoryBytes ?? DEFAULT_MEMORY_BYTES,
  };
}

/**
 * Starts a program without a shell, without our environment and with no standard input, in its own process
 * group so that whatever it starts dies with it. CPU, memory and file output are limited where `prlimit` exists.
 */
export async function startLimited(
  program: string,
  args: readonly string[],
  cwd: string,
  limits: ChildLimits,
): Promise<LimitedChild> {
  const [command, ...rest] = await limitedCommand(program, args, limits);
  const child = spawn(command, rest, {
    cwd,
    // Credentials live in our environment; a decoder that is taken over must not find them.
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', AV_LOG_FORCE_NOCOLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(
        new Failure(
          'FFMPEG_MISSING',
          `${program} cannot be started (${cause.message}); install ffmpeg or set its path`,
          {
            cause,
          },
        ),
      );
    });
  });
  child.on('error', () => {});
  const pid = child.pid ?? 0;
  // A pipe that breaks while we kill the writer is no error of ours.
  for (const stream of [child.stdout, child.stderr]) stream.on('error', () => {});
  return { pid, stdout: child.stdout, stderr: child.stderr, exited, stop };

  async function stop(): Promise<ChildExit> {
    child.stdout.destroy();
    child.stderr.destroy();
    signalGroup(pid, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), STOP_GRACE_MS);
    const exit = await exited;
    clearTimeout(timer);
    // What it started may have ignored the polite signal.
    signalGroup(pid, 'SIGKILL');
    return exit;
  }
}

async function limitedCommand(
  program: string,
  args: readonly string[],
  limits: ChildLimits,
): Promise<[string, ...string[]]> {
  for (const limiter of LIMITERS) {
    const found = await access(limiter, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!found) continue;
    const flags = ['--core=0', '--fsize=0'];
    // The soft limit lets ffmpeg say why it ends; the hard one does not ask.
    if (limits.cpuSeconds !== null) flags.push(`--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 5}`);
    if (limits.memoryBytes !== null) flags.push(`--as=${limits.memoryBytes}`);
    return [limiter, ...flags, '--', program, ...args];
  }
  return [program, ...args];
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 0) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}
