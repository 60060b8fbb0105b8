import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { owned } from './ownership.ts';
import { descendantsOf, sendSignal } from './processes.ts';
import { runProgram, type Ended } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SCRIPT = join(import.meta.dirname, 'systemd-machine.sh');
const SYSTEMD = '/lib/systemd/systemd';
const UNITS = 'machine-units';
const START_LIMIT_MS = 20_000;
/** Nobody's on the host, so that what belongs to it was made by the unit. */
const USER = { name: 'video-worker', id: 4711 };

/** A machine whose process 1 is the host's systemd, with the project as /opt/video-worker. */
export interface SystemdMachine extends AsyncDisposable {
  /** Of its systemd, on the host. */
  readonly pid: number;
  systemctl(...args: readonly string[]): Promise<Ended>;
  /** Properties of a unit as `systemctl show` has them. */
  show(unit: string, ...names: readonly string[]): Promise<Record<string, string>>;
  /** Resolves with the properties when they are as asked; rejects after the limit with what they were and the unit's words. */
  until(
    unit: string,
    names: readonly string[],
    isSo: (properties: Record<string, string>) => boolean,
    limitMs?: number,
  ): Promise<Record<string, string>>;
  /** A path of the machine as this process sees it. */
  at(path: string): string;
  /** What the units have said on their outputs. */
  words(): Promise<string>;
}

export interface MachineOptions {
  /** Files below /etc by their paths there; those of units in `units/`. */
  readonly files: Readonly<Record<string, string>>;
  /** Where the programs are that make it; PATH when absent. */
  readonly programs?: string | undefined;
  readonly startLimitMs?: number;
}

/** All that must be mounted, in little. In a changed root, where `/` is no mount, no systemd can give a unit its own view. */
const TRIED = `
set -e
mount --make-rprivate /
mount -t tmpfs none /run
mkdir /run/upper /run/work /run/groups
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
mount -t cgroup2 none /run/groups
group="/run/groups/$(sed -n 's/^0:://p' /proc/self/cgroup)/machine-$$"
mkdir "$group"
rmdir "$group"
`;

/** Why there can be no such machine here; null when there can. `programs`: where mount and its like are, PATH when absent. */
export function whyNoMachine(programs = process.env['PATH']): string | null {
  if (process.getuid?.() !== 0) return 'not root: a machine of its own needs namespaces and mounts';
  if (!existsSync(SYSTEMD)) return `no ${SYSTEMD}: install the package systemd`;
  const { status, stderr, error } = spawnSync('unshare', ['--mount', 'sh', '-c', TRIED], {
    env: { PATH: programs },
  });
  if (status === 0) return null;
  return `nothing can be mounted in a namespace here: ${error?.message ?? String(stderr).trim()}`;
}

/** Starts the machine. What the units say goes to /tmp/words in it. */
export async function startSystemdMachine({
  files,
  programs = process.env['PATH'],
  startLimitMs = START_LIMIT_MS,
}: MachineOptions): Promise<SystemdMachine> {
  const folder = await temporaryFolder('machine');
  await writeEtc(folder.at('etc'), files);
  const outer = spawn('unshare', ['--mount', SCRIPT, ROOT, folder.path], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // By its environment the harness knows whose it is, when nobody is left to end it.
    env: { PATH: programs, TEST_RUN_FOLDER: process.env['TEST_RUN_FOLDER'] },
  });
  let said = '';
  for (const stream of [outer.stdout, outer.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const closed = once(outer, 'close');
  let pid: number | null = null;
  const end = owned(`the machine ${outer.pid}`, async () => {
    // Its process 1 takes everything in it along; the script outside then takes the control groups away, and so it is never killed itself.
    if (pid !== null) sendSignal(pid, 'SIGKILL');
    else if (outer.pid !== undefined) {
      for (const { pid: inner } of await descendantsOf(outer.pid)) sendSignal(inner, 'SIGKILL');
    }
    await closed;
    await folder[Symbol.asyncDispose]();
  });
  const by = Date.now() + startLimitMs;
  while (pid === null || !existsSync(`/proc/${pid}/root/run/systemd/private`)) {
    if (Date.now() > by || outer.exitCode !== null) {
      await end();
      throw new Error(`the machine did not start: ${said}`);
    }
    await sleep(50);
    pid = outer.pid === undefined ? null : findSystemd(outer.pid);
  }
  const machinePid = pid;
  const systemctl: SystemdMachine['systemctl'] = (...args) =>
    runProgram('nsenter', ['-t', String(machinePid), '-m', '-p', 'systemctl', '--no-pager', ...args], {
      timeoutMs: 120_000,
    });
  const show: SystemdMachine['show'] = async (unit, ...names) => {
    const { stdout } = await systemctl('show', unit, ...names.map((name) => `--property=${name}`));
    const pairs = stdout
      .trim()
      .split('\n')
      .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
    return Object.fromEntries(pairs);
  };
  const at = (path: string): string => `/proc/${machinePid}/root${path}`;
  const words = (): Promise<string> => readFile(at('/tmp/words'), 'utf8').catch(() => '');
  return {
    pid: machinePid,
    systemctl,
    show,
    at,
    words,
    until: async (unit, names, isSo, limitMs = 60_000) => {
      const last = Date.now() + limitMs;
      for (;;) {
        const properties = await show(unit, ...names);
        if (isSo(properties)) return properties;
        if (Date.now() > last) {
          throw new Error(`${unit} stayed ${JSON.stringify(properties)}:\n${await words()}`);
        }
        // Each look starts two programs.
        await sleep(300);
      }
    },
    [Symbol.asyncDispose]: end,
  };
}

/** What of a unit is other in the machine: nothing of the host is waited for, and its words go where a test finds them. */
export const MACHINE_DROP_IN = `[Unit]
DefaultDependencies=no
[Service]
StandardOutput=append:/tmp/words
StandardError=append:/tmp/words
`;

async function writeEtc(etc: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(etc);
  for (const name of ['passwd', 'group']) await copyFile(`/etc/${name}`, join(etc, name));
  await appendFile(join(etc, 'passwd'), `${USER.name}:x:${USER.id}:${USER.id}::/nonexistent:/usr/sbin/nologin\n`);
  await appendFile(join(etc, 'group'), `${USER.name}:x:${USER.id}:\n`);
  const all = { 'units/basic.target': '[Unit]\nDefaultDependencies=no\n', ...files };
  for (const [path, text] of Object.entries(all)) {
    const file = join(etc, path.replace(/^units\//, `${UNITS}/`));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** The first process below this one that is systemd. */
function findSystemd(pid: number): number | null {
  try {
    if (readFileSync(`/proc/${pid}/comm`, 'utf8') === 'systemd\n') return pid;
    for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')) {
      const found = child === '' ? null : findSystemd(Number(child));
      if (found !== null) return found;
    }
  } catch {
    // It has just ended.
  }
  return null;
}
