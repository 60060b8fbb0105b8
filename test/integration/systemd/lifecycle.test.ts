import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { backendMessage, startDaemonGround, type DaemonGround, type Lane } from '../../harness/daemon-ground.ts';
import { runProgram } from '../../harness/run-program.ts';
import {
  MACHINE_DROP_IN,
  startSystemdMachine,
  whyNoMachine,
  type SystemdMachine,
} from '../../harness/systemd-machine.ts';

const whyNot = whyNoMachine();
const machineTest =
  whyNot === null ? test : (title: string): void => test.skip(`${title} (${whyNot})`, () => undefined);

const UNIT = readFileSync('systemd/video-worker.service', 'utf8');
const TEMPLATE = readFileSync('systemd/video-worker@.service', 'utf8');
const STATE = ['ActiveState', 'Result', 'StatusText', 'MainPID', 'NRestarts'] as const;

let ground: DaemonGround;
let count = 0;

beforeAll(async () => {
  if (whyNot === null) ground = await startDaemonGround();
});
afterAll(async () => {
  if (whyNot === null) await ground[Symbol.asyncDispose]();
});

const lane = (): Promise<Lane> => ground.lane(`lifecycle-${(count += 1)}`, 3);

function environmentFile(of: Lane, more: Readonly<Record<string, string>> = {}): string {
  const { WORK_DIR: _units, ...env } = ground.env(of, more);
  return Object.entries({ ...env, ...more })
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('');
}

const machineWith = (of: Lane, service: string, more: Readonly<Record<string, string>> = {}): Promise<SystemdMachine> =>
  startSystemdMachine({
    files: {
      'units/video-worker.service': UNIT,
      'units/video-worker.service.d/machine.conf': `${MACHINE_DROP_IN}${service}`,
      'video-worker/worker.env': environmentFile(of, more),
    },
  });

async function startedOn(machine: SystemdMachine, unit = 'video-worker'): Promise<number> {
  const { code, stderr } = await machine.systemctl('start', unit);
  if (code !== 0) throw new Error(`${stderr}\n${await machine.words()}`);
  const { MainPID } = await machine.show(unit, 'MainPID');
  return Number(MainPID);
}

/** Runs a shell in the machine, in the control group of the unit where one is named. */
const inMachine = async (machine: SystemdMachine, script: string, unit?: string): Promise<string> => {
  const join = unit === undefined ? '' : `echo $$ > /sys/fs/cgroup/system.slice/${unit}.service/cgroup.procs; `;
  const { stdout, stderr } = await runProgram('nsenter', [
    '-t',
    String(machine.pid),
    '-m',
    '-p',
    '-C',
    'sh',
    '-c',
    join + script,
  ]);
  return stdout + stderr;
};

const standStill = (machine: SystemdMachine): Promise<string> =>
  inMachine(machine, 'echo 1 > /sys/fs/cgroup/system.slice/video-worker.service/cgroup.freeze');

describe('the time that the unit gives', () => {
  machineTest('a start that waits goes on when its limit is over, and says what for', async () => {
    await using queue = await lane();
    const env = { DATABASE_URL: 'postgres://worker@127.0.0.1:1/worker' };
    await using machine = await machineWith(queue, 'TimeoutStartSec=12\n', env);
    await machine.systemctl('start', '--no-block', 'video-worker');
    await sleep(14_000);
    const state = await machine.until('video-worker', STATE, ({ StatusText = '' }) =>
      StatusText.startsWith('waiting for database'),
    );
    expect(state).toMatchObject({ ActiveState: 'activating', NRestarts: '0' });
    expect(state['StatusText']).toMatch(/; trying again in \d/);
  });

  machineTest('a drain that goes on takes longer than the limit, and is not ended', async () => {
    await using queue = await lane();
    // The last poll is waited for.
    await using machine = await machineWith(queue, 'TimeoutStopSec=4\n', { SQS_WAIT_SECONDS: '15' });
    await startedOn(machine);
    await machine.until('video-worker', STATE, ({ StatusText }) => StatusText?.startsWith('polling') === true);
    const before = Date.now();
    await machine.systemctl('stop', 'video-worker');
    expect(Date.now() - before).toBeGreaterThan(4_500);
    expect(await machine.show('video-worker', ...STATE)).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
  });

  machineTest("a worker that hangs is ended when the unit's own time to stop is over", async () => {
    await using queue = await lane();
    const hangs = `--import=data:text/javascript,process.once('SIGTERM',()=>{for(;;);})`;
    const env = { DRAIN_SECONDS: '600', NODE_OPTIONS: hangs };
    await using machine = await machineWith(queue, 'TimeoutStopSec=2\nRestart=no\n', env);
    await startedOn(machine);
    await machine.systemctl('stop', 'video-worker');
    expect(await machine.show('video-worker', ...STATE)).toMatchObject({ ActiveState: 'failed', Result: 'timeout' });
  });

  machineTest('a worker that stands still misses its beats, and is ended', async () => {
    await using queue = await lane();
    await using machine = await machineWith(queue, 'WatchdogSec=2\nTimeoutStopSec=1\nRestart=no\n');
    await startedOn(machine);
    await standStill(machine);
    expect(await machine.until('video-worker', STATE, ({ ActiveState }) => ActiveState === 'failed')).toMatchObject({
      Result: 'watchdog',
    });
  });
});

describe('what systemd hears', () => {
  machineTest('is the main process alone: nothing else in the unit speaks for it', async () => {
    await using queue = await lane();
    await using machine = await machineWith(queue, '');
    const pid = await startedOn(machine);
    const forged = 'NOTIFY_SOCKET=/run/systemd/notify systemd-notify --status=forged STOPPING=1 MAINPID=1 && echo sent';
    expect(await inMachine(machine, forged, 'video-worker')).toBe('sent\n');
    await ground.put('heard.mp4');
    await queue.send(backendMessage('heard', 'heard.mp4'));
    const state = await machine.until('video-worker', STATE, ({ StatusText = '' }) => / 1 done/.test(StatusText));
    expect(state).toMatchObject({ ActiveState: 'active', MainPID: String(pid) });
    const environment = await readFile(machine.at(`/proc/${pid}/environ`), 'latin1');
    expect(environment).not.toContain('NOTIFY_SOCKET=');
  });
});

/** From 10 on: the worker takes no number above 63. */
const GPUS = 54;

/** Two whose health ports nobody has: the network is the host's, and others, such as another run of this, are on it as well. */
async function freeGpus(): Promise<readonly [number, number]> {
  const free: number[] = [];
  for (let tried = 0; tried < GPUS; tried += 1) {
    const gpu = 10 + ((process.pid + tried) % GPUS);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(Number(`180${gpu}`), '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((closed) => server.close(closed));
    free.push(gpu);
    const [one, other] = free;
    if (one !== undefined && other !== undefined) return [one, other];
  }
  throw new Error('no two ports from 18010 to 18063 are free');
}

describe('the template', () => {
  machineTest('runs a worker for each GPU, with folders and a port of its own', async () => {
    await using queue = await lane();
    const [one, other] = await freeGpus();
    await using machine = await startSystemdMachine({
      files: {
        'units/video-worker@.service': TEMPLATE,
        'units/video-worker@.service.d/machine.conf': MACHINE_DROP_IN,
        // A device that is everybody's must not win over the instance's own.
        'video-worker/worker.env': environmentFile(queue, { GPU_DEVICE_ID: '7' }),
        [`video-worker/worker-${other}.env`]: 'WORKER_ID=the-other\n',
      },
    });
    const ids: string[] = [];
    for (const gpu of [one, other]) {
      const pid = await startedOn(machine, `video-worker@${gpu}`);
      const environment = (await readFile(machine.at(`/proc/${pid}/environ`), 'latin1')).split('\0');
      ids.push(
        ...environment.filter((line) => /^(GPU_DEVICE_ID|WORK_DIR|RUNTIME_DIRECTORY|WORKER_ID)=/.test(line)).toSorted(),
      );
      expect((await fetch(`http://127.0.0.1:180${gpu}/livez`)).status).toBe(200);
    }
    expect(ids).toEqual([
      `GPU_DEVICE_ID=${one}`,
      `RUNTIME_DIRECTORY=/run/video-worker/${one}`,
      `WORK_DIR=/var/cache/video-worker/${one}/jobs`,
      `GPU_DEVICE_ID=${other}`,
      `RUNTIME_DIRECTORY=/run/video-worker/${other}`,
      'WORKER_ID=the-other',
      `WORK_DIR=/var/cache/video-worker/${other}/jobs`,
    ]);
    await machine.systemctl('stop', `video-worker@${one}`);
    expect(await machine.show(`video-worker@${other}`, ...STATE)).toMatchObject({
      ActiveState: 'active',
      NRestarts: '0',
    });
  });
});
