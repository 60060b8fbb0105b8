import { readdir, readFile, readlink } from 'node:fs/promises';

const GUARD_MS = 2_000;

/** What the kernel says about a process, read from /proc: tests ask here and call no program for it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** The program's name, at most 15 characters. */
  readonly name: string;
  readonly commandLine: string;
  /** Somebody may sit before it. */
  readonly hasTerminal: boolean;
  /** Ended, and waiting for its parent to look. */
  readonly isZombie: boolean;
  readonly residentBytes: number;
  readonly ageSeconds: number;
}

/** A process that has to do with a folder. */
export interface ProcessOfFolder extends ProcessFacts {
  /** Its first environment names the folder, other than as a shell does; if not, it only works in it, or its command line names it. */
  readonly comesFromIt: boolean;
}

const TICKS_PER_SECOND = 100;
/** A shell tells whatever it starts where it works and worked, and what it starts. */
const SAID_BY_SHELLS = /^(?:PWD|OLDPWD|_)=/;

/** Null when there is no such process. */
export async function processFacts(pid: number): Promise<ProcessFacts | null> {
  const [stat, status, commandLine, uptime] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null),
    readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    readFile('/proc/uptime', 'utf8'),
  ]);
  if (stat === null) return null;
  // The name may hold spaces and brackets: the other fields are counted from the last bracket.
  const close = stat.lastIndexOf(')');
  const name = stat.slice(stat.indexOf('(') + 1, close);
  const fields = stat.slice(close + 2).split(' ');
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    name,
    commandLine: commandLine.replaceAll('\0', ' ').trim() || `[${name}]`,
    hasTerminal: fields[4] !== '0',
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
    residentBytes: Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
    ageSeconds: Number(uptime.split(' ')[0]) - Number(fields[19]) / TICKS_PER_SECOND,
  };
}

/** Processes that one has started and that are still there, zombies among them. */
export async function childrenOf(pid: number = process.pid): Promise<ProcessFacts[]> {
  return await factsOf(await childPids(pid));
}

/** Our children when the guard of the decoders, which ends a moment after the last of them, has had that moment. */
export async function childrenWithoutGuard(): Promise<ProcessFacts[]> {
  const end = performance.now() + GUARD_MS;
  for (;;) {
    const children = await childrenOf();
    const hasGuard = children.some(
      ({ name, commandLine, isZombie }) => isGuard(commandLine) || (name === 'sh' && isZombie),
    );
    if (!hasGuard || performance.now() > end) return children;
    await new Promise((wake) => setTimeout(wake, 5));
  }
}

export function isGuard(commandLine: string): boolean {
  return commandLine.includes('decoder-guard');
}

/** Its children, their children and so on. */
export async function descendantsOf(pid: number = process.pid): Promise<ProcessFacts[]> {
  const found: number[] = [];
  for (let generation = [pid]; generation.length > 0;) {
    generation = (await Promise.all(generation.map(childPids))).flat();
    found.push(...generation);
  }
  return await factsOf(found);
}

/** Processes that have to do with a folder: they work in it, or their command line or first environment names it. */
export async function processesOf(folder: string): Promise<ProcessOfFolder[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.filter((pid) => pid !== process.pid).map((pid) => processOf(pid, folder)));
  return found.filter((facts) => facts !== null);
}

/** Whether it runs; a zombie does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const facts = await processFacts(pid);
  return facts !== null && !facts.isZombie;
}

/** Resolves when the process runs no longer; whoever waits has the limit. */
export async function untilGone(pid: number): Promise<void> {
  while (await isRunning(pid)) await new Promise((next) => setImmediate(next));
}

/** Bytes that it has written so far, to files and pipes. */
export async function bytesWritten(pid: number): Promise<number> {
  return Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** To a process, or to a whole group by its negative number. Refused: we may not. */
export function sendSignal(pid: number, name: NodeJS.Signals): 'sent' | 'gone' | 'refused' {
  try {
    process.kill(pid, name);
    return 'sent';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'gone' : 'refused';
  }
}

/** For people: `1234 sleep 600 (for 3 s, 1 MiB)`. */
export function describeProcess({ pid, commandLine, ageSeconds, residentBytes }: ProcessFacts): string {
  const size = `${(residentBytes / 1024 ** 2).toFixed(0)} MiB`;
  return `${pid} ${commandLine.slice(0, 200)} (for ${ageSeconds.toFixed(0)} s, ${size})`;
}

async function childPids(pid: number): Promise<number[]> {
  // A child belongs to the thread that started it.
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter((child) => child !== '')).map(Number);
}

async function factsOf(pids: readonly number[]): Promise<ProcessFacts[]> {
  const facts = await Promise.all(pids.map(processFacts));
  return facts.filter((fact) => fact !== null);
}

/** Null when it has nothing to do with the folder, or has ended. */
async function processOf(pid: number, folder: string): Promise<ProcessOfFolder | null> {
  const [cwd, environ, commandLine] = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
    readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''),
    readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''),
  ]);
  const comesFromIt = environ.split('\0').some((pair) => pair.includes(`=${folder}`) && !SAID_BY_SHELLS.test(pair));
  if (!comesFromIt && !cwd.startsWith(folder) && !commandLine.includes(folder)) return null;
  const facts = await processFacts(pid);
  return facts === null ? null : { ...facts, comesFromIt };
}
