import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { neededDescriptors } from '../../../src/cli/preflight/descriptors.ts';
import { EXIT_CODES } from '../../../src/worker/exit-codes.ts';
import { backendMessage, startDaemonGround, type DaemonGround, type Lane } from '../../harness/daemon-ground.ts';
import { DaemonProcess } from '../../harness/daemon-process.ts';
import { OwnTools } from '../../harness/own-tools.ts';
import { owned } from '../../harness/ownership.ts';
import { freePort } from '../../harness/postgres.ts';

const SETTINGS = { CONCURRENCY: '1', PIPELINES: '1', DATABASE_POOL_SIZE: '5' } as const;
const NEEDED = neededDescriptors(
  { videos: 1, pipelines: 1, device: 'cpu', databaseConnections: 5, hasHealthPort: true },
  0,
);

/** More than the daemon has descriptors for. */
const CROWD_SIZE = 200;
/** More often than any kubelet. */
const PROBE_MS = 200;

let ground: DaemonGround;

beforeAll(async () => {
  ground = await startDaemonGround();
});
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

/** A daemon whose soft limit is `soft` and whose hard one is `hard`. */
async function start(lane: Lane, limits: { soft: number; hard: number }, more: Record<string, string>) {
  const entry = ground.folder.at(`start-${limits.soft}-${limits.hard}`);
  const command = `exec '${process.execPath}' --disable-warning=ExperimentalWarning src/cli/start-worker.ts`;
  await writeFile(entry, `#!/bin/sh\nulimit -Sn ${limits.soft}; ulimit -Hn ${limits.hard}; ${command}\n`, {
    mode: 0o700,
  });
  return new DaemonProcess({ env: ground.env(lane, { ...SETTINGS, ...more }), entry });
}

/** Connects so often and says nothing; each connection that is closed comes again after a second. Tells how many were made. */
const CROWD = `
  import { connect } from 'node:net';
  const [port, size] = process.argv.slice(2).map(Number);
  let made = 0;
  const come = () => {
    const socket = connect(port, '127.0.0.1', () => process.stdout.write(++made + '\\n'));
    socket.on('error', () => {});
    socket.on('close', () => setTimeout(come, 1_000));
  };
  for (let i = 0; i < size; i++) come();
`;

interface Crowd extends AsyncDisposable {
  /** Resolves when so many connections were made. */
  made(count: number): Promise<void>;
}

/** As a process of its own, so that whoever probes is not busy with it. */
async function startCrowd(port: number, size: number): Promise<Crowd> {
  const file = ground.folder.at('crowd.mjs');
  await writeFile(file, CROWD);
  const child = spawn(process.execPath, [file, String(port), String(size)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = on(createInterface({ input: child.stdout }), 'line');
  let count = 0;
  return {
    async made(wanted) {
      for (; count < wanted; count++) await lines.next();
    },
    [Symbol.asyncDispose]: owned(`the crowd ${child.pid}`, async () => {
      child.kill('SIGKILL');
      await exited;
    }),
  };
}

test('with just the descriptors that it needs, a worker under a crowd of silent connections renews, answers and ends its job', async () => {
  await using lane = await ground.lane('crowd', 5);
  const tools = await OwnTools.make(ground.folder.at('crowd-tools'));
  const port = await freePort();
  await using daemon = await start(lane, { soft: NEEDED, hard: NEEDED }, { ...tools.env, HEALTH_PORT: String(port) });
  await daemon.says(/"msg":"polling"/);
  const decoder = await tools.holdBack('ffmpeg');
  await using crowd = await startCrowd(port, CROWD_SIZE);
  await crowd.made(CROWD_SIZE);
  await ground.put('crowd.mp4');
  await lane.send(backendMessage('crowd', 'crowd.mp4'));
  await daemon.says(/"msg":"a job begins"/);
  const ask = async (path: string): Promise<Response> =>
    await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(3_000),
    });
  // As a kubelet, to which one failure is none: a probe that connects in the very moment of hundreds may have to come again.
  const probe = async (path: string): Promise<Response> =>
    await ask(path)
      .catch(() => ask(path))
      .catch(() => ask(path));
  // Of a lease of 10 s: three of them are half of another one.
  let renewals = 0;
  while (renewals < 3) {
    expect((await probe('/livez')).status).toBe(200);
    const metrics = await (await probe('/metrics')).text();
    await sleep(PROBE_MS);
    renewals = Number(/^video_worker_lease_renewals_total (\d+)$/m.exec(metrics)?.[1] ?? 0);
  }
  await decoder.open();
  await daemon.says(/"msg":"analysis stored"/);
  expect(await ground.status('crowd')).toMatchObject({ status: 'completed', attempts: 1 });
  expect([...lane.receives.values()]).toEqual([1]);
  // Told, and not for each of them.
  const told = daemon.lines.filter((line) => line.includes('a crowd of connections to the health port'));
  expect([1, 2, 3]).toContain(told.length);
  expect(daemon.words).not.toMatch(/EMFILE|lease was lost|renewal/);
  expect(await daemon.stop('SIGTERM')).toBe(EXIT_CODES.CLEAN);
});

test('with one descriptor too few it does not start, and a soft limit alone is raised', async () => {
  await using lane = await ground.lane('few', 5);
  const more = { HEALTH_PORT: String(await freePort()) };
  await using refused = await start(lane, { soft: NEEDED - 1, hard: NEEDED - 1 }, more);
  expect(await refused.ended).toBe(EXIT_CODES.PREFLIGHT);
  expect(refused.words).toMatch(
    new RegExp(`FAIL descriptors +at most ${NEEDED - 1}; .* may need ${NEEDED}\n +-> .*LimitNOFILE`),
  );
  await using raised = await start(lane, { soft: NEEDED - 1, hard: 5_000 }, more);
  await raised.says(/"msg":"polling"/);
  expect(raised.words).toMatch(/ok +descriptors +at most 5000;/);
  expect(await raised.stop('SIGTERM')).toBe(EXIT_CODES.CLEAN);
});
