import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  backendMessage,
  startDaemonGround,
  UPLOADS,
  type DaemonGround,
  type Lane,
} from '../../harness/daemon-ground.ts';
import { MACHINE_DROP_IN, startSystemdMachine, whyNoMachine } from '../../harness/systemd-machine.ts';

const whyNot = whyNoMachine();
const machineTest =
  whyNot === null ? test : (title: string): void => test.skip(`${title} (${whyNot})`, () => undefined);

const UNIT = readFileSync('systemd/video-worker.service', 'utf8');
const SANDBOX = readFileSync('systemd/decoder-sandbox.conf', 'utf8');
/**
 * A refused system call ends the process instead of being told to it: what is missing in the filter cannot hide. Only of io_uring it is
 * meant to be told: Node asks for that first and then does without.
 */
const NONE_REFUSED = `${MACHINE_DROP_IN}SystemCallErrorNumber=\nSystemCallFilter=io_uring_setup io_uring_enter io_uring_register\n`;
/** Also pictures and texts: what is off by default in tests calls the system as well. */
const EVERYTHING = { HIGHLIGHT_ACTIONS: 'walking,standing,falling', HIGHLIGHTS_BUCKET: UPLOADS, SCENE: 'local' };
const STATE = ['ActiveState', 'SubState', 'Result', 'StatusText', 'MainPID', 'NotifyAccess', 'NRestarts'] as const;

let ground: DaemonGround;

beforeAll(async () => {
  if (whyNot === null) ground = await startDaemonGround();
});
afterAll(async () => {
  if (whyNot === null) await ground[Symbol.asyncDispose]();
});

function environmentFile(lane: Lane, more: Readonly<Record<string, string>> = {}): string {
  const { WORK_DIR: _units, ...env } = ground.env(lane, more);
  return Object.entries(env)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('');
}

/** The whole way of a video under the unit as it is, with whatever else is laid over it. */
async function analysesOne(name: string, dropIns: Readonly<Record<string, string>>): Promise<void> {
  const lane = await ground.lane(name, 3);
  await using _lane = lane;
  const files = Object.fromEntries(
    Object.entries(dropIns).map(([file, text]) => [`units/video-worker.service.d/${file}`, text]),
  );
  await using machine = await startSystemdMachine({
    files: {
      'units/video-worker.service': UNIT,
      ...files,
      'video-worker/worker.env': environmentFile(lane, EVERYTHING),
    },
  });
  const started = await machine.systemctl('start', 'video-worker');
  if (started.code !== 0) throw new Error(`${started.stderr}\n${await machine.words()}`);
  await ground.put(`${name}.mp4`);
  await lane.send(backendMessage(name, `${name}.mp4`));
  const state = await machine.until(
    'video-worker',
    STATE,
    ({ StatusText = '', ActiveState }) => ActiveState !== 'active' || / 1 done/.test(StatusText),
  );
  expect(state).toMatchObject({
    ActiveState: 'active',
    StatusText: 'polling, 0 videos in work, 1 done, 0 failed',
    NRestarts: '0',
  });
  expect(await ground.status(name)).toMatchObject({ status: 'completed', bucket: UPLOADS });
  // fontconfig, without a home for its cache, says so three times a start.
  expect(await machine.words()).not.toContain('No writable cache');
  const { mode, uid } = await stat(machine.at('/var/cache/video-worker'));
  expect([mode & 0o777, uid]).toEqual([0o700, 4711]);
  await machine.systemctl('stop', 'video-worker');
  expect(await machine.show('video-worker', ...STATE)).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
}

describe('the unit under a real systemd', () => {
  machineTest('analyses a video, and no system call that it makes is refused', async () => {
    await analysesOne('strict', { 'machine.conf': NONE_REFUSED });
  });

  machineTest('analyses a video with the namespaces of the decoder open, and no system call is refused', async () => {
    await analysesOne('sandbox', { 'machine.conf': NONE_REFUSED, 'decoder-sandbox.conf': SANDBOX });
  });
});
