import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { access } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { availableParallelism, constants } from 'node:os';
import type { Readable } from 'node:stream';
import { Failure } from '../../failure/failure.ts';
import { adviceForErrno, meaningOfFileCode } from '../../failure/sources/errno.ts';
import { systemClock } from '../../time/clock.ts';
import { settledWithin } from '../../time/settled-within.ts';
import { usageOfGroup, type GroupUsage } from './group-usage.ts';
import { limitedCommand, type ChildLimits } from './limited-command.ts';
import { countOomKills } from './oom-kills.ts';
import { announced, takeGuard, type Guarding } from './parting-guard.ts';
import { SandboxStatus } from './sandbox-status.ts';
import type { NearEnd, SocketPair } from './socket-pair.ts';

export { limitsFor, type ChildLimits } from './limited-command.ts';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The kernel killed a process for want of memory while this one ran, and this one was killed. */
  readonly isOomKilled: boolean;
  /** It lived long enough to have used up its CPU limit. */
  readonly mayHaveSpentCpu: boolean;
  /** A signal that ended the program comes as an exit code, 128 more than its number: others stand between it and us. */
  readonly isRelayed?: boolean;
  /** The sandbox ended before it had started the program, and what was said are its own words. */
  readonly isSandboxRefused?: boolean;
}

/** A child in its own process group. */
export interface LimitedChild {
  /** Of what was started: the program, or what leads to it. */
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

/** One with another pipe beside its log. */
export interface NotingChild extends LimitedChild {
  readonly notes: Readable;
}

export interface ChildOptions {
  /** It writes there; its ends are closed when it does not start. To a pipe when absent. */
  readonly output?: SocketPair;
  /** A pipe for it to write to as descriptor 3. */
  readonly hasNotes?: boolean;
  /** What is started is bubblewrap: the descriptor on which it is to tell of the sandbox. */
  readonly statusDescriptor?: number;
}

/** All that a tool is told by its environment. */
export const TOOL_ENVIRONMENT = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LC_ALL: 'C',
  AV_LOG_FORCE_NOCOLOR: '1',
} as const;

const STOP_GRACE_MS = 500;
/** A job is not held up for longer by a process that cannot be killed. */
const STOP_LIMIT_MS = 10_000;
type Order = readonly [program: string, args: readonly string[], cwd: string, limits: ChildLimits];

/**
 * Starts a program without a shell, without our environment and with no standard input, in its own process
 * group so that whatever it starts dies with it, and so that it dies with us. CPU, memory and file output are limited where util-linux is.
 */
export async function startLimited(...order: Order): Promise<PipedChild>;
export async function startLimited(
  ...order: [...Order, options: ChildOptions & { hasNotes: true }]
): Promise<NotingChild>;
export async function startLimited(
  ...order: [...Order, options: ChildOptions & { output?: never }]
): Promise<PipedChild>;
export async function startLimited(...order: [...Order, options: ChildOptions]): Promise<LimitedChild>;
export async function startLimited(
  program: string,
  args: readonly string[],
  cwd: string,
  limits: ChildLimits,
  options: ChildOptions = {},
): Promise<LimitedChild> {
  const { output } = options;
  try {
    return await start([program, args, cwd, limits], options);
  } catch (error) {
    output?.near.destroy();
    throw error;
  } finally {
    // The child has its own descriptor of it: with this one open, its end would not be seen.
    output?.far.destroy();
  }
}

async function start([program, args, cwd, limits]: Order, options: ChildOptions): Promise<LimitedChild> {
  const command = await limitedCommand(program, args, limits);
  const oomKillsBefore = await countOomKills();
  const startedAt = performance.now();
  const guarding = takeGuard();
  const child = spawnOrThrow([program, command, cwd], options, guarding);
  let isOver = false;
  const ended = new Promise<Omit<ChildExit, 'isOomKilled'>>((resolve) => {
    child.once('exit', (code, signal) => {
      isOver = true;
      guarding.ended();
      const coreMs = (performance.now() - startedAt) * availableParallelism();
      const mayHaveSpentCpu = limits.cpuSeconds !== null && coreMs >= limits.cpuSeconds * 1000;
      resolve({ code, signal, mayHaveSpentCpu });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(cause);
    });
  }).catch(async (error: unknown) => {
    guarding.ended();
    throw await cannotStart(program, cwd, error);
  });
  child.on('error', () => {});
  // Not before: one that was not started for want of descriptors has no streams at all.
  const { stdout, stderr } = child;
  const extra = child.stdio as readonly unknown[];
  const notes = options.hasNotes === true ? (extra[3] as Readable) : null;
  const status =
    options.statusDescriptor === undefined ? null : new SandboxStatus(extra[options.statusDescriptor] as Readable);
  const exited = ended.then((exit) => completeExit(exit, oomKillsBefore, status));
  const pid = child.pid ?? 0;
  const near: NearEnd = options.output?.near ?? stdout;
  // A pipe that breaks while we kill the writer is no error of ours.
  for (const stream of [near, stderr, notes]) stream?.on('error', () => {});
  const piped = options.output === undefined ? { stdout } : {};
  return { pid, ...piped, ...(notes === null ? {} : { notes }), stderr, exited, usage: () => usageOfGroup(pid), stop };

  async function stop(): Promise<void> {
    near.destroy();
    stderr.destroy();
    notes?.destroy();
    await endSandbox(status, exited, () => isOver);
    signalGroup(pid, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), STOP_GRACE_MS);
    const isGone = await settledWithin(exited, STOP_LIMIT_MS, systemClock);
    clearTimeout(timer);
    // What it started may have ignored the polite signal.
    signalGroup(pid, 'SIGKILL');
    if (!isGone) child.unref();
  }
}

/**
 * Ends a sandbox from its inside, by its first process: bubblewrap ends when all in it are gone, and has added up what they used, where the
 * other way round they would follow it after we looked. One that is only being built is waited for: bubblewrap's child would be left where
 * its parent is killed.
 */
async function endSandbox(
  status: SandboxStatus | null,
  exited: Promise<ChildExit>,
  isOver: () => boolean,
): Promise<void> {
  const init = (await status?.initPid(STOP_GRACE_MS)) ?? null;
  // The first process hands the one on to the tool; no process of the sandbox outlives the other.
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (init === null || isOver()) return;
    signalTo(init, signal);
    await settledWithin(exited, STOP_GRACE_MS, systemClock);
  }
}

async function completeExit(
  exit: Omit<ChildExit, 'isOomKilled'>,
  oomKillsBefore: number,
  status: SandboxStatus | null,
): Promise<ChildExit> {
  const isKilled = exit.signal === 'SIGKILL' || exit.code === 128 + constants.signals.SIGKILL;
  const [isOomKilled, didStart] = await Promise.all([
    isKilled ? countOomKills().then((kills) => kills > oomKillsBefore) : false,
    status?.didStart() ?? true,
  ]);
  if (status === null) return { ...exit, isOomKilled };
  // One that was killed from outside has refused nothing.
  const isSandboxRefused = !didStart && exit.code !== null && exit.code > 0 && exit.code <= 128;
  return { ...exit, isOomKilled, isRelayed: true, isSandboxRefused };
}

function spawnOrThrow(
  [program, command, cwd]: readonly [string, readonly [string, ...string[]], string],
  { output, hasNotes = false, statusDescriptor }: ChildOptions,
  guarding: Guarding,
): ChildProcessByStdio<null, Readable, Readable> {
  const stdio: ('ignore' | 'pipe' | Socket)[] = ['ignore', output?.far ?? 'pipe', 'pipe'];
  if (hasNotes) stdio.push('pipe');
  if (statusDescriptor !== undefined) stdio[statusDescriptor] = 'pipe';
  // A program that is started by itself says by its failure that it is not there; a shell before it would not.
  const isGuarded = guarding.words !== null && command[0] !== program;
  const [first, ...args] = isGuarded ? announced(command, stdio.length) : command;
  if (isGuarded) stdio.push(guarding.words);
  try {
    // With a socket there is no `stdout`, and nobody asks for it.
    const child = spawn(first, args, {
      cwd,
      // Credentials live in our environment; a decoder that is taken over must not find them.
      env: TOOL_ENVIRONMENT,
      stdio,
      detached: true,
    }) as ChildProcessByStdio<null, Readable, Readable>;
    if (isGuarded && child.pid !== undefined) guarding.started(child.pid);
    return child;
  } catch (error) {
    guarding.ended();
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

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid > 0) signalTo(-pid, signal);
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Nobody is left there.
  }
}
