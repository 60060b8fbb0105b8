import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Reads which groups there are. The end of what it reads is the end of whoever started them, however that came: then it kills those that are
 * left. One signal is enough, since the kernel lets no member of a group that is being killed fork. It must outlive what ends a worker, the
 * polite signals to a whole unit as well, and holds nothing that the worker was started with.
 */
const SCRIPT = `
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
trap '' HUP INT TERM
groups=' '
while read -r what group; do
  case $what$groups in
    -*" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;;
    +*" $group "*) ;;
    +*) groups="$groups$group " ;;
  esac
done
for group in $groups; do kill -KILL "-$group"; done`;

const SHELL = '/bin/sh';
/** By which it is known in a list of processes. */
const NAME = 'decoder-guard';
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };

interface Guard {
  readonly process: ChildProcess;
  readonly words: Socket;
}

/** Of this thread: there is one as long as tools run. */
let guard: Guard | null = null;
let uses = 0;
const groups = new Set<number>();

/** What a tool is started with, so that the end of this process is its end, too. */
export interface Guarding {
  /** To be a descriptor of what is started; null: there is no guard to be had, and the kernel's signal has to do. */
  readonly words: Socket | null;
  /** Once, where it was started as the leader of a group. */
  started(group: number): void;
  /** When it is gone or was not started: its number may soon be another's. */
  ended(): void;
}

/** The guard of the tools, started where there is none. */
export function takeGuard(): Guarding {
  uses += 1;
  guard ??= startGuard();
  let own: number | null = null;
  let isOver = false;
  return {
    words: guard?.words ?? null,
    started: (group) => {
      own = group;
      groups.add(group);
    },
    ended: () => {
      if (isOver) return;
      isOver = true;
      uses -= 1;
      if (own !== null && groups.delete(own)) guard?.words.write(`- ${own}\n`);
      if (uses > 0) return;
      guard?.words.destroySoon();
      guard = null;
    },
  };
}

/**
 * The command that tells the guard of itself before it becomes what was to be started. Nobody else could do it in time: a worker can be killed
 * before it knows what it has started. Until this one has spoken the guard sees no end, since it holds the same descriptor.
 */
export function announced(
  command: readonly string[],
  descriptor: number,
): readonly [command: string, ...args: string[]] {
  // A guard that is gone must be no tool's end, and what some shells add to an environment is no tool's to have.
  const tell = `unset PWD OLDPWD SHLVL; trap '' PIPE; echo "+ $$" >&${descriptor} 2>&-; trap - PIPE`;
  return [SHELL, '-c', `${tell}; exec "$@" ${descriptor}>&-`, 'sh', ...command];
}

function startGuard(): Guard | null {
  try {
    const child = spawn(SHELL, ['-c', SCRIPT, NAME], {
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    const forget = (): void => void (guard?.process === child && (guard = null));
    child.once('error', forget);
    if (child.pid === undefined) return null;
    child.once('exit', forget);
    child.unref();
    // A pipe of Node is one of sockets.
    const words = child.stdin as unknown as Socket;
    words.on('error', forget);
    words.unref();
    // Of one that was killed.
    for (const group of groups) words.write(`+ ${group}\n`);
    return { process: child, words };
  } catch {
    return null;
  }
}
