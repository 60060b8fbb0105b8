import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createLogger } from '../../../src/telemetry/logger.ts';
import { createSystemdNotifier, watchdogIntervalMs } from '../../../src/telemetry/systemd-notify.ts';

let folder: string;
let program: string;
let logged: string;
const logger = createLogger({
  level: 'warn',
  format: 'json',
  name: 't',
  destination: { write: (line) => (logged += line) },
});

beforeEach(async () => {
  logged = '';
  folder = await mkdtemp(join(tmpdir(), 'notify-'));
  program = join(folder, 'systemd-notify');
  await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$NOTIFY_SOCKET $*" >> ${folder}/said\n`);
  await chmod(program, 0o755);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const said = async (): Promise<string[]> => (await readFile(join(folder, 'said'), 'utf8')).trim().split('\n');

describe('the systemd notifier', () => {
  test('says READY and STOPPING in its own name, each status on one line', async () => {
    using notifier = createSystemdNotifier({ env: { NOTIFY_SOCKET: '/run/x' }, logger, program });
    await notifier.ready('polling');
    await notifier.stopping('draining\n2 videos');
    expect(await said()).toEqual([
      `/run/x --pid=${process.pid} READY=1 STATUS=polling`,
      `/run/x --pid=${process.pid} STOPPING=1 STATUS=draining 2 videos`,
    ]);
  });

  test('a status is one short line: nothing in it becomes a word of its own or a sequence of the terminal', async () => {
    using notifier = createSystemdNotifier({ env: { NOTIFY_SOCKET: '/run/x' }, logger, program });
    await notifier.status('waiting\r\nMAINPID=1\u0085\u2028\u001b[2J\u009b31m\u202e\u0000 for x');
    await notifier.status(`${'a'.repeat(254)}\u{1f600}${'b'.repeat(100_000)}`);
    expect(await said()).toEqual([
      `/run/x --pid=${process.pid} STATUS=waiting MAINPID=1 [2J 31m for x`,
      `/run/x --pid=${process.pid} STATUS=${'a'.repeat(254)}\ufffd…`,
    ]);
  });

  test('says things in the order in which they were told', async () => {
    // The first child takes its time.
    await writeFile(program, `#!/bin/sh\n[ "$2" = READY=1 ] && sleep 0.3\necho "$2" >> ${folder}/said\n`);
    using notifier = createSystemdNotifier({ env: { NOTIFY_SOCKET: '/run/x' }, logger, program });
    void notifier.ready('polling');
    void notifier.extendStop(30_000);
    await notifier.stopping('SIGTERM');
    expect(await said()).toEqual(['READY=1', 'EXTEND_TIMEOUT_USEC=30000000', 'STOPPING=1']);
  });

  test('a descriptor that is none of a socket is not spoken to', async () => {
    using notifier = createSystemdNotifier({ env: { NOTIFY_SOCKET: '/run/x', NOTIFY_FD: '987' }, logger, program });
    await notifier.status('there');
    expect(await said()).toEqual([`/run/x --pid=${process.pid} STATUS=there`]);
  });

  test('asks for more time while a start waits', async () => {
    using notifier = createSystemdNotifier({ env: { NOTIFY_SOCKET: '/run/x' }, logger, program });
    await notifier.extendStart('waiting for the database', 900_000);
    expect(await said()).toEqual([
      `/run/x --pid=${process.pid} EXTEND_TIMEOUT_USEC=900000000 STATUS=waiting for the database`,
    ]);
  });

  test('is silent without systemd', async () => {
    using notifier = createSystemdNotifier({ env: {}, logger, program });
    await notifier.ready('polling');
    await expect(said()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('logs a word that cannot be said and goes on', async () => {
    using notifier = createSystemdNotifier({
      env: { NOTIFY_SOCKET: '/run/x' },
      logger,
      program: join(folder, 'absent'),
    });
    await notifier.ready('polling');
    expect(logged).toContain('systemd could not be notified');
  });

  test('beats only while the worker is healthy', async () => {
    let asked = 0;
    const enough = Promise.withResolvers<void>();
    using notifier = createSystemdNotifier({
      env: { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '2000' },
      logger,
      program,
    });
    notifier.watch(() => {
      asked += 1;
      if (asked === 5) enough.resolve();
      return false;
    });
    await enough.promise;
    await expect(said()).rejects.toMatchObject({ code: 'ENOENT' });
    expect(logged).toContain('no watchdog beat');
  });
});

test.each([
  [{}, null],
  [{ WATCHDOG_USEC: '60000000' }, 30_000],
  [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }, 30_000],
  [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' }, null],
  [{ WATCHDOG_USEC: 'x' }, null],
])('the watchdog of %j beats every %s ms', (env, expected) => {
  expect(watchdogIntervalMs(env, 7)).toBe(expected);
});
