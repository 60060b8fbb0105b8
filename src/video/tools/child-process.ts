import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { access, constants as modes } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { availableParallelism, constants } from 'node:os';
import type { Readable } from 'node:stream';
import { Failure } from '../../failure/failure.ts';
import { adviceForErrno, meaningOfFileCode } from '../../failure/sources/errno.ts';
import { systemClock } from '../../time/clock.ts';
import { settledWithin } from '../../time/settled-within.ts';
import { usageOfGroup, type GroupUsage } from './group-usage.ts';
import { countOomKills } from './oom-kills.ts';
import type { NearEnd, SocketPair } from './socket-pair.ts';

export interface ChildLimits {
  /** CPU seconds over all threads; null: unlimited. */
  readonly cpuSeconds: number | null;
  /** Address space in bytes; null: unlimited. */
  readonly memoryBytes: number | null;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The kernel killed a process for want of memory while this one ran, and this one was killed. */
  readonly isOomKilled: boolean;
  /** It lived long enough to have used up its CPU limit. */
  readonly mayHaveSpentCpu: boolean;
}

/** A child in its own process group. */
export interface LimitedChild {
  readonly pid: number;
  readonly stderr: Readable;
  /** Resolves when the process itself is gone; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** What it and what it started have used; null when they are gone. */
  usage(): Promise<GroupUsage | null>;
  /**
   * Ends the whole group (SIGTERM, then SIGKILL after the grace) and resolves when the process is really gone, or when the kernel does not
   * let it go: one in a frozen cgroup, or that waits for a disk, ends whenever that does.
   */
  stop(): Promise<void>;
}

/** One that writes to a pipe. */
export interface PipedChild extends LimitedChild {
  readonly stdout: Readable;
}

const STOP_GRACE_MS = 500;
/** A job is not held up for longer by a process that cannot be killed. */
const STOP_LIMIT_MS = 10_000;
const LIMITERS = ['/usr/bin/prlimit', '/bin/prlimit'];
const DEFAULT_MEMORY_BYTES = 4 * 1024 ** 3;
/** A decoder keeps a picture in work for each of its threads: 205 MB of address space for one of 8K HEVC with 10 bits. */
const MEMORY_BYTES_PER_THREAD = 256 * 1024 ** 2;

/** Limits for a child that may work for `wallMs`: that time, and room for a picture, on each thread it may use. */
export function limitsFor(wallMs: number, threads: number, memoryBytes: number | undefined): ChildLimits {
  return {
    cpuSeconds: Math.ceil((wallMs / 1000) * (threads + 1)) + 1,
    memoryBytes: memoryBytes ?? DEFAULT_MEMORY_BYTES + (threads - 1) * MEMORY_BYTES_PER_THREAD,
  };
}

type Order = readonly [program: string, args: readonly string[], cwd: string, limits: ChildLimits];

/**
 * Starts a program without a shell, without our environment and with no standard input, in its own process
 * group so that whatever it starts dies with it. CPU, memory and file output are limited where `prlimit` exists. It writes to a pipe, or
 * to the far end of a pair of sockets, whose ends are closed here when it does not start.
 */
export async function startLimited(...order: Order): Promise<PipedChild>;
export async function startLimited(...order: [...Order, output: SocketPair]): Promise<LimitedChild>;
export async function startLimited(
  program: string,
  args: readonly string[],
  cwd: string,
  limits: ChildLimits,
  output: SocketPair | null = null,
): Promise<LimitedChild> {
  try {
    return await start(program, args, cwd, limits, output);
  } catch (error) {
    output?.near.destroy();
    throw error;
  } finally {
    // The child has its own descriptor of it: with this one open, its end would not be seen.
    output?.far.destroy();
  }
}

async function start(
  program: string,
  args: readonly string[],
  cwd: string,
  limits: ChildLimits,
  output: SocketPair | null,
): Promise<LimitedChild> {
  const [command, ...rest] = await limitedCommand(program, args, limits);
  const oomKillsBefore = await countOomKills();
  const startedAt = performance.now();
  const child = spawnOrThrow(program, command, rest, cwd, output?.far ?? 'pipe');
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => {
      const coreMs = (performance.now() - startedAt) * availableParallelism();
      const mayHaveSpentCpu = limits.cpuSeconds !== null && coreMs >= limits.cpuSeconds * 1000;
      const isKilled = signal === 'SIGKILL' || code === 128 + constants.signals.SIGKILL;
      const killed = isKilled ? countOomKills().then((kills) => kills > oomKillsBefore) : Promise.resolve(false);
      void killed.then((isOomKilled) => {
        resolve({ code, signal, isOomKilled, mayHaveSpentCpu });
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(cause);
    });
  }).catch(async (error: unknown) => {
    throw await cannotStart(program, cwd, error);
  });
  child.on('error', () => {});
  const pid = child.pid ?? 0;
  const { stdout, stderr } = child;
  const near: NearEnd = output?.near ?? stdout;
  // A pipe that breaks while we kill the writer is no error of ours.
  for (const stream of [near, stderr]) stream.on('error', () => {});
  const piped = output === null ? { stdout } : {};
  return { pid, ...piped, stderr, exited, usage: () => usageOfGroup(pid), stop };

  async function stop(): Promise<void> {
    near.destroy();
    stderr.destroy();
    signalGroup(pid, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), STOP_GRACE_MS);
    const isGone = await settledWithin(exited, STOP_LIMIT_MS, systemClock);
    clearTimeout(timer);
    // What it started may have ignored the polite signal.
    signalGroup(pid, 'SIGKILL');
    if (!isGone) child.unref();
  }
}

function spawnOrThrow(
  program: string,
  command: string,
  args: readonly string[],
  cwd: string,
  output: Socket | 'pipe',
): ChildProcessByStdio<null, Readable, Readable> {
  try {
    // With a socket there is no `stdout`, and nobody asks for it.
    return spawn(command, args, {
      cwd,
      // Credentials live in our environment; a decoder that is taken over must not find them.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', AV_LOG_FORCE_NOCOLOR: '1' },
      stdio: ['ignore', output, 'pipe'],
      detached: true,
    }) as ChildProcessByStdio<null, Readable, Readable>;
  } catch (error) {
    // Some errors of the system are thrown at once, others come as an event.
    throw startFailure(program, error);
  }
}

/** Why a program does not start; the folder that it was to start in comes first, since its absence looks like that of the program. */
async function cannotStart(program: string, cwd: string, error: unknown): Promise<Failure> {
  const isFolderThere = await access(cwd).then(
    () => true,
    () => false,
  );
  if (isFolderThere) return startFailure(program, error);
  return new Failure('DECODER_INTERRUPTED', `the folder of the file is gone; keep cleaners away from WORK_DIR`, {
    cause: error,
  });
}

function startFailure(program: string, error: unknown): Failure {
  const { message, code = '' } = error as NodeJS.ErrnoException;
  const meaning = code === 'EAGAIN' ? 'HOST_FAULT' : meaningOfFileCode(code);
  const isHost = !['ENOENT', 'EACCES', 'EPERM'].includes(code) && meaning !== null;
  const advice = isHost ? adviceForErrno(code) : '; install ffmpeg or set its path';
  return new Failure(isHost ? meaning : 'FFMPEG_MISSING', `${program} cannot be started (${message})${advice}`, {
    cause: error,
    details: { errno: code },
  });
}

async function limitedCommand(
  program: string,
  args: readonly string[],
  limits: ChildLimits,
): Promise<[string, ...string[]]> {
  for (const limiter of LIMITERS) {
    const found = await access(limiter, modes.X_OK).then(
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
